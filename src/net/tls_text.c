/* SPDX-License-Identifier: MIT */
/* net/tls_text - what OpenSSL reports, said so that an operator knows what to change. */
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/alloc.h"
#include "net/tls_int.h"

#define NAME_BYTES 160 /* of a distinguished name; the rest is cut */
#define TIME_BYTES 32
#define SAN_MAX    4 /* names of a certificate that are listed; some carry a hundred */

/* ---- certificates ---- */

static void format_name(const X509_NAME *name, char out[NAME_BYTES])
{
    out[0] = '\0';
    BIO *memory = name == NULL ? NULL : BIO_new(BIO_s_mem());
    if (memory == NULL) {
        return;
    }
    /* RFC 2253 text has control characters and all beyond ASCII escaped. */
    (void)X509_NAME_print_ex(memory, name, 0, XN_FLAG_RFC2253);
    int len = BIO_read(memory, out, NAME_BYTES - 1);
    out[len > 0 ? len : 0] = '\0';
    BIO_free(memory);
}

static void format_time(const ASN1_TIME *when, char out[TIME_BYTES])
{
    struct tm tm;
    if (ASN1_TIME_to_tm(when, &tm) != 1 ||
        strftime(out, TIME_BYTES, "%Y-%m-%d %H:%M:%S UTC", &tm) == 0) {
        (void)snprintf(out, TIME_BYTES, "at an unreadable time");
    }
}

/* Appends printf-style to |out|, cutting what does not fit. */
GW_PRINTF(2, 3)
static void append(char out[GW_TLS_TEXT_BYTES], const char *format, ...)
{
    size_t len = strlen(out);
    va_list args;
    va_start(args, format);
    (void)vsnprintf(out + len, GW_TLS_TEXT_BYTES - len, format, args);
    va_end(args);
}

/* Certificates are a peer's text: nothing in them may break a line of the log. */
static void make_printable(char *text)
{
    for (; *text != '\0'; text++) {
        if ((unsigned char)*text < 0x20 || (unsigned char)*text >= 0x7f) {
            *text = '?';
        }
    }
}

static void append_san(char out[GW_TLS_TEXT_BYTES], const GENERAL_NAME *san, const char *separator)
{
    int type = 0;
    const ASN1_STRING *value = GENERAL_NAME_get0_value(san, &type);
    const unsigned char *bytes =
        type == GEN_DNS || type == GEN_IPADD ? ASN1_STRING_get0_data(value) : NULL;
    int len = bytes == NULL ? 0 : ASN1_STRING_length(value);
    char text[NAME_BYTES];
    if (type == GEN_DNS) {
        (void)snprintf(text, sizeof(text), "%.*s", len, (const char *)bytes);
    } else if (type == GEN_IPADD && len == 4) {
        (void)snprintf(text, sizeof(text), "%d.%d.%d.%d", bytes[0], bytes[1], bytes[2], bytes[3]);
    } else {
        (void)snprintf(text, sizeof(text), "something else");
    }
    make_printable(text);
    append(out, "%s%s", separator, text);
}

/* The names that the certificate carries: what a wrong URL or a wrong server shows itself by. */
static void append_names(char out[GW_TLS_TEXT_BYTES], const X509 *cert)
{
    GENERAL_NAMES *names = X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);
    if (names == NULL) {
        char subject[NAME_BYTES];
        format_name(X509_get_subject_name(cert), subject);
        append(out, ", the certificate carries no names (subject %s)", subject);
        return;
    }
    int count = sk_GENERAL_NAME_num(names);
    append(out, ", the certificate is for ");
    for (int i = 0; i < count && i < SAN_MAX; i++) {
        append_san(out, sk_GENERAL_NAME_value(names, i), i == 0 ? "" : ", ");
    }
    if (count > SAN_MAX) {
        append(out, " and %d more", count - SAN_MAX);
    }
    GENERAL_NAMES_free(names);
}

static void append_asked(char out[GW_TLS_TEXT_BYTES], SSL *ssl)
{
    X509_VERIFY_PARAM *param = SSL_get0_param(ssl);
    char *address = X509_VERIFY_PARAM_get1_ip_asc(param);
    const char *host = X509_VERIFY_PARAM_get0_host(param, 0);
    append(out, "asked for %s", address != NULL ? address : host != NULL ? host : "nothing");
    OPENSSL_free(address);
}

static void describe_verify(int error, SSL *ssl, const X509 *cert, char out[GW_TLS_TEXT_BYTES])
{
    char subject[NAME_BYTES] = "";
    char issuer[NAME_BYTES] = "";
    char when[TIME_BYTES] = "";
    out[0] = '\0';
    if (cert != NULL) {
        format_name(X509_get_subject_name(cert), subject);
        format_name(X509_get_issuer_name(cert), issuer);
    }
    switch (error) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
        format_time(X509_get0_notAfter(cert), when);
        append(out, "certificate has expired (subject %s, expired %s)", subject, when);
        return;
    case X509_V_ERR_CERT_NOT_YET_VALID:
        format_time(X509_get0_notBefore(cert), when);
        append(out, "certificate is not valid yet (subject %s, valid from %s)", subject, when);
        return;
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
        append(out, error == X509_V_ERR_HOSTNAME_MISMATCH ? "hostname mismatch: "
                                                          : "address mismatch: ");
        append_asked(out, ssl);
        append_names(out, cert);
        return;
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
        append(out, "self-signed certificate (subject %s)", subject);
        return;
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
        append(out, "certificate chain ends in an authority that is not trusted (%s)", subject);
        return;
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
        append(out,
               "certificate's issuer is not trusted, or missing in the chain that was sent "
               "(subject %s, issuer %s)",
               subject, issuer);
        return;
    default:
        append(out, "%s (subject %s)", X509_verify_cert_error_string(error), subject);
        return;
    }
}

int gw_tls_on_verify(int is_ok, X509_STORE_CTX *verification)
{
    if (is_ok == 1) {
        return 1;
    }
    SSL *ssl = X509_STORE_CTX_get_ex_data(verification, SSL_get_ex_data_X509_STORE_CTX_idx());
    struct gw_tls_peer *peer = SSL_get_app_data(ssl);
    if (peer->verify_text == NULL) {
        peer->verify_text = gw_alloc(GW_TLS_TEXT_BYTES);
        describe_verify(X509_STORE_CTX_get_error(verification), ssl,
                        X509_STORE_CTX_get_current_cert(verification), peer->verify_text);
    }
    return is_ok;
}

/* ---- the error queue ---- */

struct reason_text {
    int reason;
    const char *text;
};

/* Reasons whose own text does not tell an operator what to look at. */
static const struct reason_text reasons[] = {
    {SSL_R_WRONG_VERSION_NUMBER, "unsupported protocol: the peer speaks no TLS on this port"},
    {SSL_R_UNKNOWN_PROTOCOL, "unsupported protocol: the peer speaks no TLS on this port"},
    {SSL_R_HTTP_REQUEST, "the client sent plain HTTP to a TLS port"},
    {SSL_R_HTTPS_PROXY_REQUEST, "the client sent a plain proxy request to a TLS port"},
    {SSL_R_UNSUPPORTED_PROTOCOL, "the peer offers no version of TLS above 1.1"},
    {SSL_R_TLSV1_ALERT_PROTOCOL_VERSION, "the peer refuses TLS 1.2 and 1.3"},
    {SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE,
     "the peer refused the handshake (no common cipher, or it wants a client certificate)"},
    {SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED, "the peer wants a client certificate"},
    {SSL_R_TLSV1_UNRECOGNIZED_NAME, "the peer serves no such host name"},
    {SSL_R_TLSV1_ALERT_UNKNOWN_CA, "the peer does not trust our certificate's issuer"},
    {SSL_R_SSLV3_ALERT_BAD_CERTIFICATE, "the peer refused our certificate"},
    {SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN, "the peer refused our certificate"},
    {SSL_R_NO_APPLICATION_PROTOCOL, "the client offers neither h2 nor http/1.1"},
};

void gw_tls_error_text(char out[GW_TLS_TEXT_BYTES])
{
    unsigned long code = ERR_peek_last_error();
    const char *text = code == 0 ? "no reason given" : ERR_reason_error_string(code);
    for (size_t i = 0; code != 0 && i < GW_ARRAY_LEN(reasons); i++) {
        if (ERR_GET_LIB(code) == ERR_LIB_SSL && ERR_GET_REASON(code) == reasons[i].reason) {
            text = reasons[i].text;
        }
    }
    if (text == NULL) {
        /* System errors (a file that cannot be read) have no reason text. */
        ERR_error_string_n(code, out, GW_TLS_TEXT_BYTES);
    } else {
        (void)snprintf(out, GW_TLS_TEXT_BYTES, "%s", text);
    }
    ERR_clear_error();
}
