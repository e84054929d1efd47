// A client of Windows' RPC runtime for 69-wine.sh: asks a server behind an RPC proxy for its interfaces.
//
//   wine-client PROXY SERVER PORT ntlm|negotiate|basic USER PASSWORD tls|plain
//
// Prints how many bytes the answer has, or in which step which error came; then the exit code is 1.
#define _WIN32_WINNT 0x0600
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <windows.h>
#include <rpc.h>
#include <rpcdce.h>
#include <rpcdcep.h>
#include <rpcndr.h>

static const RPC_SYNTAX_IDENTIFIER management = {
    {0xafa8bd80, 0x7d8a, 0x11c9, {0xbe, 0xf4, 0x08, 0x00, 0x2b, 0x10, 0x29, 0x89}}, {1, 0}};
static const RPC_SYNTAX_IDENTIFIER ndr = {
    {0x8a885d04, 0x1ceb, 0x11c9, {0x9f, 0xe8, 0x08, 0x00, 0x2b, 0x10, 0x48, 0x60}}, {2, 0}};

static int failed(const char *what, RPC_STATUS status)
{
    printf("%s: error %ld (0x%lx)\n", what, status, status);
    return 1;
}

static unsigned long scheme_of(const char *name)
{
    if (!strcmp(name, "ntlm"))
        return RPC_C_HTTP_AUTHN_SCHEME_NTLM;
    return strcmp(name, "negotiate") ? RPC_C_HTTP_AUTHN_SCHEME_BASIC : RPC_C_HTTP_AUTHN_SCHEME_NEGOTIATE;
}

int main(int argc, char **argv)
{
    RPC_CSTR text = NULL;
    RPC_BINDING_HANDLE binding = NULL;
    RPC_STATUS status;
    char options[256];
    unsigned long scheme;
    RPC_CLIENT_INTERFACE interface_spec = {sizeof interface_spec, management, ndr, NULL, 0, NULL, 0, NULL, 0};
    RPC_MESSAGE message;

    if (argc != 8) {
        puts("usage: wine-client PROXY SERVER PORT ntlm|negotiate|basic USER PASSWORD tls|plain");
        return 2;
    }
    scheme = scheme_of(argv[4]);
    snprintf(options, sizeof options, "RpcProxy=%s", argv[1]);
    status = RpcStringBindingComposeA(NULL, (RPC_CSTR)"ncacn_http", (RPC_CSTR)argv[2], (RPC_CSTR)argv[3], (RPC_CSTR)options, &text);
    if (status)
        return failed("compose", status);
    status = RpcBindingFromStringBindingA(text, &binding);
    if (status)
        return failed("binding", status);

    SEC_WINNT_AUTH_IDENTITY_A who = {(unsigned char *)argv[5], strlen(argv[5]), (unsigned char *)"", 0,
                                     (unsigned char *)argv[6], strlen(argv[6]), SEC_WINNT_AUTH_IDENTITY_ANSI};
    RPC_HTTP_TRANSPORT_CREDENTIALS_A http = {&who,
                                             (strcmp(argv[7], "tls") ? 0 : RPC_C_HTTP_FLAG_USE_SSL) | RPC_C_HTTP_FLAG_USE_FIRST_AUTH_SCHEME,
                                             RPC_C_HTTP_AUTHN_TARGET_SERVER, 1, &scheme, NULL};
    RPC_SECURITY_QOS_V2_A qos;
    memset(&qos, 0, sizeof qos);
    qos.Version = 2;
    qos.ImpersonationType = RPC_C_IMP_LEVEL_IMPERSONATE;
    qos.AdditionalSecurityInfoType = RPC_C_AUTHN_INFO_TYPE_HTTP;
    qos.u.HttpCredentials = &http;
    status = RpcBindingSetAuthInfoExA(binding, NULL, RPC_C_AUTHN_LEVEL_NONE, RPC_C_AUTHN_NONE, NULL, 0, (RPC_SECURITY_QOS *)&qos);
    if (status)
        return failed("credentials", status);

    memset(&message, 0, sizeof message);
    message.Handle = binding;
    message.RpcInterfaceInformation = &interface_spec;
    message.DataRepresentation = NDR_LOCAL_DATA_REPRESENTATION;
    status = I_RpcGetBuffer(&message);
    if (status)
        return failed("bind", status);
    status = I_RpcSendReceive(&message);
    if (status)
        return failed("call", status);
    printf("answer of %u bytes\n", message.BufferLength);
    I_RpcFreeBuffer(&message);
    RpcBindingFree(&binding);
    RpcStringFreeA(&text);
    return 0;
}
