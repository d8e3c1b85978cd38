# SPDX-License-Identifier: MIT
"""Writes a text file as a C array: embed.py INPUT OUTPUT NAME. Used by meson.build."""
import sys


def main() -> None:
    source, target, name = sys.argv[1:4]
    with open(source, "rb") as file:
        data = file.read()
    with open(target, "w", encoding="ascii") as file:
        file.write("/* Made from schema.json by embed.py. */\n#include <stddef.h>\n\n")
        file.write(f"extern const char {name}[];\nextern const size_t {name}_len;\n")
        file.write(f"const size_t {name}_len = {len(data)};\nconst char {name}[] = {{\n")
        for at in range(0, len(data), 24):
            # As bytes of char: not every compiler takes 200 for one where char is signed.
            row = ",".join(str(byte - 256 if byte > 127 else byte) for byte in data[at : at + 24])
            file.write(f"    {row},\n")
        file.write("    0,\n};\n")


main()
