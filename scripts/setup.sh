#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Installs what this machine lacks to build, test, measure or check gatewire.
#
#   scripts/setup.sh build              compiler, Meson, libraries
#   scripts/setup.sh build test sanitize bench lint
#
# Asks dpkg first: when nothing is missing there is no network traffic and no root is needed.
# Knows Debian 12 and newer and Ubuntu 25.04 and newer. Elsewhere it checks that the tools and libraries are
# there, in whatever way they came, and names those that are not.
#
# Environment: GATEWIRE_NO_INSTALL=1 only checks and reports; nothing is installed.
set -eu

top=$(cd "$(dirname "$0")/.." && pwd)
here="$top/scripts"

say() { printf 'setup: %s\n' "$*"; }
die() {
    printf 'setup: %s\n' "$*" >&2
    exit 1
}

# --- what each group needs ------------------------------------------------------------------------

build_packages="gcc libc6-dev meson ninja-build pkg-config ca-certificates
    libuv1-dev libnghttp2-dev libssl-dev libyaml-dev libpcre2-dev libcurl4-openssl-dev libyyjson-dev libllhttp-dev"
build_commands="cc meson ninja pkg-config"
build_modules="libuv libnghttp2 openssl yaml-0.1 libpcre2-8 libcurl yyjson libllhttp"

test_packages="libcmocka-dev openssl python3 python3-venv"
test_commands="openssl python3"
test_modules="cmocka"

# libFuzzer comes with clang; llvm brings the symbolizer that names the lines in reports, util-linux the setarch that
# sanitizers need where addresses are strongly randomised.
sanitize_packages="clang libclang-rt-dev llvm util-linux"
sanitize_commands="clang llvm-symbolizer setarch"
sanitize_modules=""

bench_packages="nginx haproxy openssl python3"
bench_commands="nginx haproxy openssl python3"
bench_modules=""

lint_packages="clang clang-tidy libclang-rt-dev shellcheck python3 python3-venv libcmocka-dev"
lint_commands="clang shellcheck python3"
lint_modules="cmocka"

# Debian 12 has no libyyjson and no usable libllhttp; these four come from Debian 13 and nothing else does.
trixie_packages="libyyjson0 libyyjson-dev libllhttp9.2 libllhttp-dev"

# --- arguments ------------------------------------------------------------------------------------

groups="$*"
[ -n "$groups" ] || groups="build"
want_packages="" want_commands="" want_modules=""
want() {
    want_packages="$want_packages $1"
    want_commands="$want_commands $2"
    want_modules="$want_modules $3"
}
for group in $groups; do
    case "$group" in
    build) want "$build_packages" "$build_commands" "$build_modules" ;;
    test) want "$test_packages" "$test_commands" "$test_modules" ;;
    sanitize) want "$sanitize_packages" "$sanitize_commands" "$sanitize_modules" ;;
    bench) want "$bench_packages" "$bench_commands" "$bench_modules" ;;
    lint) want "$lint_packages" "$lint_commands" "$lint_modules" ;;
    *) die "unknown group '$group'; groups are build, test, sanitize, bench, lint" ;;
    esac
done

has_group() {
    case " $groups " in *" $1 "*) return 0 ;; esac
    return 1
}

# Node and Go are taken as they are found: from the distribution only when there is none at all.
if has_group test; then
    command -v node >/dev/null 2>&1 || want_packages="$want_packages nodejs"
    command -v npm >/dev/null 2>&1 || want_packages="$want_packages npm"
    if [ ! -x "$top/.cache/tools/h2spec" ] && ! command -v go >/dev/null 2>&1; then
        want_packages="$want_packages golang-go"
    fi
fi

# --- the machine ----------------------------------------------------------------------------------

os_id=unknown os_version=0 os_name="this system"
if [ -r /etc/os-release ]; then
    # shellcheck disable=SC1091
    os_id=$(. /etc/os-release && printf '%s' "${ID:-unknown}")
    # shellcheck disable=SC1091
    os_version=$(. /etc/os-release && printf '%s' "${VERSION_ID:-0}")
    # shellcheck disable=SC1091
    os_name=$(. /etc/os-release && printf '%s' "${PRETTY_NAME:-this system}")
fi
# 25.04 -> 2504, 13 -> 1300; a suite without a number (testing, sid) counts as the newest.
version_number=$(printf '%s' "$os_version" | awk -F. '{ printf "%d%02d", $1, $2 }')
[ "$os_version" != 0 ] || version_number=9999

supported=no
case "$os_id" in
debian) [ "$version_number" -lt 1200 ] || supported=yes ;;
ubuntu) [ "$version_number" -lt 2504 ] || supported=yes ;;
esac

# Prints those of its arguments that dpkg does not report as installed.
missing_packages() {
    # shellcheck disable=SC2016 # the ${} belong to dpkg-query
    installed=$(dpkg-query -W -f '${Package} ${Status}\n' "$@" 2>/dev/null |
        awk '$NF == "installed" { print $1 }')
    for package in "$@"; do
        printf '%s\n' "$installed" | grep -qxF -- "$package" || printf '%s\n' "$package"
    done
}

# Checks by command and pkg-config module, for systems whose packages we do not know by name.
check_by_hand() {
    lacking=""
    for command in $want_commands; do
        command -v "$command" >/dev/null 2>&1 || lacking="$lacking $command"
    done
    if command -v pkg-config >/dev/null 2>&1; then
        for module in $want_modules; do
            pkg-config --exists "$module" || lacking="$lacking $module(pkg-config)"
        done
    fi
    [ -z "$lacking" ] && return 0
    cat >&2 <<EOF
setup: $os_name is not one of the systems this script can set up
setup: (Debian 12 or newer, Ubuntu 25.04 or newer). gatewire builds elsewhere too, once these are installed:
setup:  $lacking
EOF
    exit 1
}

# Runs a command as root, through sudo when we are not.
as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    else
        sudo -- "$@"
    fi
}

need_root() {
    [ "$(id -u)" -eq 0 ] && return 0
    if command -v sudo >/dev/null 2>&1; then
        # With a terminal sudo may ask for the password; without one it must work silently.
        if [ -t 0 ] || sudo -n true 2>/dev/null; then
            return 0
        fi
    fi
    cat >&2 <<EOF
setup: these packages are missing, and there is neither root nor a usable sudo to install them:
setup:   $(printf '%s' "$1" | tr '\n' ' ')
setup: run once as root:  $here/setup.sh $groups
EOF
    exit 1
}

apt_get() {
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -q \
        -o DPkg::Lock::Timeout=600 -o Acquire::Retries=3 -o Dpkg::Use-Pty=0 "$@"
}

# True when apt has a version of the package that it would install.
has_candidate() {
    candidate=$(apt-cache policy "$1" 2>/dev/null | awk '$1 == "Candidate:" { print $2 }')
    [ -n "$candidate" ] && [ "$candidate" != "(none)" ]
}

# The address and the signing key this machine's own Debian source uses, as "URI|key file" (the key may be empty).
debian_source() {
    set --
    for file in /etc/apt/sources.list.d/*.sources /etc/apt/sources.list.d/*.list /etc/apt/sources.list; do
        [ ! -r "$file" ] || set -- "$@" "$file"
    done
    [ $# -gt 0 ] || return 0
    awk '
        function value(line) { sub(/^[^:]*:[ \t]*/, "", line); return line }
        # Ends one stanza of a .sources file: answers when it was the one of Debian 12 itself.
        function end_stanza() {
            if (!found && uri != "" && enabled && (" " suites " ") ~ / bookworm /) answer(uri, key)
            uri = suites = key = ""; enabled = 1
        }
        function answer(address, file) {
            # A key written into the stanza itself (not a path) is left out; the archive keyring serves then.
            print address "|" (file ~ /^\// ? file : "")
            found = 1
        }
        FNR == 1 { end_stanza() }
        found { next }
        FILENAME ~ /\.sources$/ {
            if ($0 ~ /^[ \t]*$/) end_stanza()
            name = tolower($1)
            if (name == "uris:") { split(value($0), part, " "); uri = part[1] }
            if (name == "suites:") suites = value($0)
            if (name == "signed-by:") key = value($0)
            if (name == "enabled:" && tolower(value($0)) ~ /^(no|false)/) enabled = 0
            next
        }
        /^[ \t]*deb[ \t]/ {
            line = $0; file = ""
            if (match(line, /\[[^]]*\]/)) {
                options = substr(line, RSTART + 1, RLENGTH - 2)
                line = substr(line, 1, RSTART - 1) substr(line, RSTART + RLENGTH)
                if (match(options, /signed-by=[^ ]+/)) file = substr(options, RSTART + 10, RLENGTH - 10)
            }
            split(line, part, " ")
            if (part[3] == "bookworm") answer(part[2], file)
        }
        END { end_stanza() }
    ' "$@"
}

# Debian 12: adds Debian 13 as a source from which apt takes nothing but the packages named above.
add_trixie() {
    source=$(debian_source)
    uri=${source%%|*}
    key=${source#*|}
    [ -n "$uri" ] || uri=http://deb.debian.org/debian
    if [ -z "$key" ] && [ -r /usr/share/keyrings/debian-archive-keyring.gpg ]; then
        key=/usr/share/keyrings/debian-archive-keyring.gpg
    fi
    say "adding Debian 13 at $uri for these packages only: $trixie_packages"
    work=$(mktemp -d)
    # The pin is in place before the source, so that no apt run in between sees Debian 13 unpinned.
    cat >"$work/preferences" <<EOF
Explanation: gatewire (scripts/setup.sh): nothing comes from Debian 13 ...
Package: *
Pin: release n=trixie
Pin-Priority: -10

Explanation: ... but these, which Debian 12 does not have.
Package: $trixie_packages
Pin: release n=trixie
Pin-Priority: 500
EOF
    {
        echo "# gatewire (scripts/setup.sh): see /etc/apt/preferences.d/gatewire-trixie for what may come from here."
        echo "Types: deb"
        echo "URIs: $uri"
        echo "Suites: trixie"
        echo "Components: main"
        echo "Targets: Packages"
        [ -z "$key" ] || echo "Signed-By: $key"
    } >"$work/sources"
    as_root install -m 0644 "$work/preferences" /etc/apt/preferences.d/gatewire-trixie
    as_root install -m 0644 "$work/sources" /etc/apt/sources.list.d/gatewire-trixie.sources
    rm -r "$work"
    apt_get -qq update
}

# Stops when the installation would take anything but the four packages from Debian 13.
check_nothing_else_moves() {
    [ -e /etc/apt/sources.list.d/gatewire-trixie.sources ] || return 0
    # A version that both suites carry is listed with both; only what Debian 13 alone has would come from there.
    # shellcheck disable=SC2086 # a list of names
    moved=$(apt-get -s install --no-install-recommends $1 | awk -v allowed="$trixie_packages" '
        BEGIN { n = split(allowed, name, " "); for (i = 1; i <= n; i++) ok[name[i]] = 1 }
        $1 == "Inst" && /Debian:13/ && !/Debian[^ ]*:12/ { sub(/:.*/, "", $2); if (!($2 in ok)) print $2 }')
    [ -z "$moved" ] || die "apt would also take from Debian 13: $(printf '%s' "$moved" | tr '\n' ' '); nothing was installed"
}

install_packages() {
    need_root "$1"
    say "installing: $(printf '%s' "$1" | tr '\n' ' ')"
    apt_get -qq update
    if [ "$os_id" = debian ] && [ "$version_number" -lt 1300 ]; then
        for package in $trixie_packages; do
            case "$1" in
            *"$package"*) has_candidate "$package" || {
                add_trixie
                break
            } ;;
            esac
        done
    fi
    for package in $1; do
        has_candidate "$package" && continue
        [ "$os_id" != ubuntu ] || say "on Ubuntu the 'universe' component is needed: add-apt-repository universe"
        die "no source of this machine offers the package '$package'"
    done
    check_nothing_else_moves "$1"
    # shellcheck disable=SC2086 # a list of names
    apt_get install -y --no-install-recommends $1
}

# nginx and haproxy are wanted as programs, not as services that take port 80 of a developer's machine.
install_bench_packages() {
    need_root "$1"
    policy=/usr/sbin/policy-rc.d
    held=no
    if [ ! -e "$policy" ]; then
        printf '#!/bin/sh\nexit 101\n' | as_root tee "$policy" >/dev/null
        as_root chmod 0755 "$policy"
        held=yes
        trap 'as_root rm -f "$policy"' EXIT
    fi
    install_packages "$1"
    if [ "$held" = yes ]; then
        as_root rm -f "$policy"
        trap - EXIT
    fi
    if command -v systemctl >/dev/null 2>&1; then
        for service in nginx haproxy; do
            case "$1" in
            *"$service"*) as_root systemctl disable --quiet "$service" >/dev/null 2>&1 || true ;;
            esac
        done
    fi
}

system_packages() {
    if [ "$supported" = no ] || ! command -v dpkg-query >/dev/null 2>&1; then
        check_by_hand
        return 0
    fi
    # shellcheck disable=SC2086 # a list of names
    missing=$(missing_packages $want_packages | sort -u)
    [ -n "$missing" ] || return 0
    if [ "${GATEWIRE_NO_INSTALL:-0}" = 1 ]; then
        die "missing packages: $(printf '%s' "$missing" | tr '\n' ' ')"
    fi
    case "$missing" in
    *nginx* | *haproxy*) install_bench_packages "$missing" ;;
    *) install_packages "$missing" ;;
    esac
}

# --- tools that do not come from the distribution -------------------------------------------------

# Runs an installer only when its inputs changed. $1: stamp file, $2: fingerprint; the rest is the command.
when_changed() {
    stamp=$1 print=$2
    shift 2
    [ -e "$stamp" ] && [ "$(cat "$stamp")" = "$print" ] && return 0
    if [ "${GATEWIRE_NO_INSTALL:-0}" = 1 ]; then
        die "$stamp is missing or older than its inputs"
    fi
    rm -f "$stamp"
    "$@"
    printf '%s\n' "$print" >"$stamp"
}

fingerprint() {
    cat -- "$@" | sha256sum | cut -d ' ' -f 1
}

system_python() {
    if [ -x /usr/bin/python3 ]; then echo /usr/bin/python3; else command -v python3; fi
}

# Every version is pinned in the files, so pip resolves nothing.
install_python_packages() {
    say "installing the Python packages of $2 into $1"
    [ -x "$top/$1/bin/python" ] || "$(system_python)" -m venv "$top/$1"
    "$top/$1/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps --retries 5 \
        -r "$top/$2" || die "pip could not install $2"
    "$top/$1/bin/python" -m pip check --disable-pip-version-check ||
        die "the pins of $2 do not fit together"
}

# $1: the virtual environment, $2: name of the stamp, $3: the file of requirements.
python_packages() {
    # An environment whose Python is gone (after a system upgrade) is made anew.
    if [ -d "$top/$1" ] && ! "$top/$1/bin/python" -c '' 2>/dev/null; then
        rm -rf "${top:?}/$1"
    fi
    when_changed "$top/$1/$2.stamp" "$(fingerprint "$top/$3")" install_python_packages "$1" "$3"
}

install_npm() {
    say "installing the Node packages of tests/e2e/node"
    (cd "$top/tests/e2e/node" && npm ci --no-audit --no-fund --ignore-scripts --loglevel=error) ||
        die "npm could not install tests/e2e/node/package-lock.json"
}

node_packages() {
    lock="$top/tests/e2e/node/package-lock.json"
    [ -e "$lock" ] || return 0
    when_changed "$top/tests/e2e/node/node_modules/.gatewire.stamp" \
        "$(fingerprint "$lock" "$top/tests/e2e/node/package.json")" install_npm
}

install_h2spec() {
    say "building h2spec"
    mkdir -p "$top/.cache/go" "$top/.cache/tools"
    (
        cd "$top/tests/tools/h2spec"
        export GOPATH="$top/.cache/go" GOCACHE="$top/.cache/go/build" GOTOOLCHAIN=local CGO_ENABLED=0
        export GOFLAGS="-mod=readonly -modcacherw -buildvcs=false"
        go build -o "$top/.cache/tools/h2spec" github.com/summerwind/h2spec/cmd/h2spec
    ) || die "h2spec could not be built"
}

# Built into .cache, which outlives a build directory; the tests find it as build/tools/h2spec.
h2spec_tool() {
    [ -x "$top/.cache/tools/h2spec" ] || rm -f "$top/.cache/tools/h2spec.stamp"
    mkdir -p "$top/.cache/tools"
    when_changed "$top/.cache/tools/h2spec.stamp" \
        "$(fingerprint "$top/tests/tools/h2spec/go.mod" "$top/tests/tools/h2spec/go.sum")" install_h2spec
    if [ ! -e "$top/build/tools/h2spec" ]; then
        mkdir -p "$top/build/tools"
        ln -sfn ../../.cache/tools/h2spec "$top/build/tools/h2spec"
    fi
}

# --- run ------------------------------------------------------------------------------------------

system_packages
if has_group test; then
    python_packages .venv tests tests/requirements.txt
    # What LlamaIndex needs does not fit the pins of the rest.
    python_packages .venv-llama tests tests/llama-requirements.txt
    node_packages
    h2spec_tool
fi
if has_group lint; then
    python_packages .venv lint scripts/lint-requirements.txt
fi
