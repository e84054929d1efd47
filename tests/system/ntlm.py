"""Part of 61-ntlm.sh:  ntlm.py FOLDER (with smb.conf). Each counterpart is a party: step(token) is (state, token)."""
import base64
import os
import struct
import subprocess
import sys

import gssapi
import gssapi.raw
import lab
from impacket import ntlm as impacket_ntlm
from impacket import spnego as impacket_spnego
from samba import credentials, gensec
from samba.param import LoadParm

FOLDER = sys.argv[1]
SMB_CONF = os.path.join(FOLDER, 'smb.conf')
USER, DOMAIN, PASSWORD = 'Jörg', 'LAB', 'Grüße1 für alle'
BINDING = 'tls-server-end-point:' + 'x' * 32
GO, IN, OUT = 'go on', 'in', 'refused'
NTLMSSP = gssapi.OID.from_int_seq('1.3.6.1.4.1.311.2.2.10')
SPNEGO = gssapi.OID.from_int_seq('1.3.6.1.5.5.2')


class Lines:
    """A program that speaks lines."""

    def __init__(self, *command):
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.why = ''

    def ask(self, line):
        self.process.stdin.write(line + '\n')
        self.process.stdin.flush()
        return self.process.stdout.readline().split()

    def close(self):
        self.process.stdin.close()
        self.process.stdout.close()
        lab.same(self.process.wait(), 0, f'exit code of {self.process.args[:2]}')


class Ours(Lines):
    def __init__(self, role, **options):
        words = (f'{name}={value}' for name, value in options.items())
        super().__init__(os.path.join(os.environ['OBJ'], 'ntlm-peer'), role, *words)

    def step(self, token):
        answer = self.ask(base64.b64encode(token or b'').decode())
        self.why = ' '.join(answer)
        state = {'TT': GO, 'AF': IN}.get(answer[0], OUT)
        return state, base64.b64decode(answer[-1]) if state != OUT and answer[-1] != '-' else b''


class NtlmAuth(Lines):
    """Samba's ntlm_auth: gensec below the helper protocols of squid."""

    def __init__(self, helper, user, password, *more):
        super().__init__('ntlm_auth', f'--configfile={SMB_CONF}', f'--helper-protocol={helper}', f'--username={user}',
                         f'--password={password}', f'--domain={DOMAIN}', *more)
        self.server = not helper.endswith(('client-1', 'client'))
        self.begun = False

    def step(self, token):
        word = ('KK' if self.begun else 'YR') if self.server else ('TT' if self.begun else 'YR')
        self.begun = True
        answer = self.ask(word + (' ' + base64.b64encode(token).decode() if token else ''))
        self.why = ' '.join(answer)
        state = {'YR': GO, 'TT': GO, 'KK': GO, 'AF': IN}.get(answer[0], OUT)
        # A server says the name behind AF, with a token in front when there is one.
        tokens = [word for word in answer[1:2] if word != '*' and '\\' not in word]
        return state, base64.b64decode(tokens[0]) if state != OUT and tokens else b''


class SambaClient:
    def __init__(self, mechanism, user, password, sign):
        parameters = LoadParm()
        parameters.load(SMB_CONF)
        mine = credentials.Credentials()
        mine.guess(parameters)
        mine.set_kerberos_state(credentials.DONT_USE_KERBEROS)
        mine.set_username(user)
        mine.set_domain(DOMAIN)
        mine.set_password(password)
        self.client = gensec.Security.start_client({'target_hostname': 'proxy.lab.example', 'lp_ctx': parameters})
        self.client.set_credentials(mine)
        self.client.set_target_service('http')
        self.client.set_target_hostname('proxy.lab.example')
        if sign:
            self.client.want_feature(gensec.FEATURE_SIGN)
        self.client.start_mech_by_name(mechanism)
        self.why = ''

    def step(self, token):
        try:
            finished, answer = self.client.update(token or b'')
        except Exception as error:
            self.why = str(error)
            return OUT, b''
        return IN if finished else GO, answer

    def close(self):
        pass


class Impacket:
    """A Type 1 of 32 bytes and more, no MIC; inside SPNEGO as its SMB does it."""

    def __init__(self, user, password, wrapped=False, version_2=True):
        self.user, self.password, self.wrapped, self.version_2 = user, password, wrapped, version_2
        self.type1, self.why = None, ''

    def step(self, token):
        if self.type1 is None:
            self.type1 = impacket_ntlm.getNTLMSSPType1('', '', False, use_ntlmv2=self.version_2)
            if not self.wrapped:
                return GO, self.type1.getData()
            init = impacket_spnego.SPNEGO_NegTokenInit()
            init['MechTypes'] = [impacket_spnego.TypesMech['NTLMSSP - Microsoft NTLM Security Support Provider']]
            init['MechToken'] = self.type1.getData()
            return GO, init.getData()
        if not token or not self.wrapped and token[8] != 2:
            return OUT, b''
        if self.wrapped:
            response = impacket_spnego.SPNEGO_NegTokenResp(token)
            if response['NegState'] == b'\x00':
                return IN, b''
            token = response['ResponseToken']
        type3, _ = impacket_ntlm.getNTLMSSPType3(self.type1, token, self.user, self.password, DOMAIN, use_ntlmv2=self.version_2)
        if not self.wrapped:
            return IN, type3.getData()
        response = impacket_spnego.SPNEGO_NegTokenResp()
        response['ResponseToken'] = type3.getData()
        return GO, response.getData()

    def close(self):
        pass


class Gss:
    """gss-ntlmssp, raw or below MIT's SPNEGO; either role."""

    def __init__(self, role, user, password, wrapped=False, binding=None, flags=()):
        bindings = gssapi.raw.ChannelBindings(application_data=binding.encode()) if binding else None
        service = gssapi.Name('HTTP@proxy.lab.example', gssapi.NameType.hostbased_service)
        mechanisms = [SPNEGO, NTLMSSP] if wrapped else [NTLMSSP]
        if role == 'initiate':
            name = gssapi.Name(f'{DOMAIN}\\{user}', gssapi.NameType.user)
            acquired = gssapi.raw.acquire_cred_with_password(name, password.encode(), mechs=mechanisms, usage='initiate').creds
            if wrapped:
                gssapi.raw.set_neg_mechs(acquired, [NTLMSSP])
            self.context = gssapi.SecurityContext(
                name=service, usage='initiate', creds=gssapi.Credentials(acquired), mech=SPNEGO if wrapped else NTLMSSP,
                flags=list(flags), channel_bindings=bindings)
        else:
            keyfile = os.path.join(FOLDER, 'keyfile')
            with open(keyfile, 'w') as file:
                file.write(f'{DOMAIN}:{user}:{password}\n')
            store = {b'ntlmssp_keyfile': keyfile.encode()}
            acquired = gssapi.raw.acquire_cred_from(store, service, mechs=[SPNEGO, NTLMSSP], usage='accept').creds
            self.context = gssapi.SecurityContext(creds=gssapi.Credentials(acquired), usage='accept', channel_bindings=bindings)
        self.why = ''

    def step(self, token):
        try:
            answer = self.context.step(token or None)
            return IN if self.context.complete else GO, answer or b''
        except gssapi.exceptions.GSSError as error:
            self.why = str(error)
            return OUT, b''

    def close(self):
        pass


def login(initiator, acceptor):
    """(where the acceptor is at last, where the initiator)"""
    token, initiators, acceptors = b'', GO, GO
    for _ in range(6):
        if initiators == GO:
            initiators, token = initiator.step(token)
            if initiators == OUT or not token:
                break
        acceptors, token = acceptor.step(token)
        if acceptors != GO and not (token and initiators == GO):
            break
    for party in (initiator, acceptor):
        party.close()
    return acceptors, initiators


def expect(text, initiator, acceptor, let_in=True, says=''):
    acceptors, initiators = login(initiator, acceptor)
    good = (acceptors == IN and initiators != OUT) if let_in else acceptors != IN
    lab.check(good and says in acceptor.why, f'{text}: the acceptor is at "{acceptors}", the initiator at "{initiators}": '
              f'{acceptor.why} / {initiator.why}' + (f'; expected {says}' if says else ''))
    lab.step(f'{text}: {"let in" if let_in else "refused"}')


SIGN = (gssapi.RequirementFlag.integrity,)
SEAL = (gssapi.RequirementFlag.integrity, gssapi.RequirementFlag.confidentiality)


def clients(password):
    """Those of others: (name, party, whether it sends a MIC)"""
    yield 'impacket', lambda: Impacket(USER, password), False
    yield 'impacket in SPNEGO', lambda: Impacket(USER, password, wrapped=True), False
    yield 'Samba', lambda: SambaClient('ntlmssp', USER, password, False), False
    yield 'Samba, signing', lambda: SambaClient('ntlmssp', USER, password, True), True
    yield 'Samba in SPNEGO', lambda: SambaClient('spnego', USER, password, False), False
    yield 'Samba in SPNEGO, signing', lambda: SambaClient('spnego', USER, password, True), True
    yield 'ntlm_auth', lambda: NtlmAuth('ntlmssp-client-1', USER, password), False
    yield 'ntlm_auth in SPNEGO', lambda: NtlmAuth('gss-spnego-client', USER, password), False
    for flags, name in ((), ''), (SIGN, ', signing'), (SEAL, ', sealing'):
        yield f'gss-ntlmssp{name}', lambda: Gss('initiate', USER, password, flags=flags), False
        yield f'gss-ntlmssp in SPNEGO{name}', lambda: Gss('initiate', USER, password, wrapped=True, flags=flags), True


def servers(password):
    yield 'ntlm_auth', lambda: NtlmAuth('squid-2.5-ntlmssp', USER, password), False
    yield 'ntlm_auth in SPNEGO', lambda: NtlmAuth('gss-spnego', USER, password), True
    yield 'gss-ntlmssp', lambda: Gss('accept', USER, password), False
    yield 'gss-ntlmssp in SPNEGO', lambda: Gss('accept', USER, password), True


def ours(**more):
    return Ours('accept', user=USER, password=PASSWORD, **more)


lab.step('their clients, our acceptor')
for name, party, mic in clients(PASSWORD):
    expect(name, party(), ours(), says='mic=1' if mic else 'mic=0')
for name, party, _ in clients('Grüße1 für andere'):
    expect(f'{name}, wrong password', party(), ours(), let_in=False, says='wrong password')
expect('impacket with NTLM version 1', Impacket(USER, PASSWORD, version_2=False), ours(), let_in=False, says='version 1')
expect('impacket without name and password', Impacket('', ''), ours(), let_in=False, says='anonymous')
expect('a name that is not there', Impacket('nobody', PASSWORD), ours(), let_in=False, says='unknown user')

lab.step('channel bindings and target names')
for wrapped, where in (False, ''), (True, ' in SPNEGO'):
    for policy in 'off', 'allow', 'require':
        for sent, name in (None, 'none'), (BINDING, 'right'), (BINDING + '!', 'wrong'):
            let_in = policy == 'off' or sent == BINDING or policy == 'allow' and sent is None
            expect(f'gss-ntlmssp{where}, {name} binding, policy {policy}', Gss('initiate', USER, PASSWORD, wrapped, sent),
                   ours(policy=policy, binding=BINDING), let_in,
                   'binding' if not let_in else f'bound={int(policy != "off" and sent == BINDING)}')
for target, let_in in ('HTTP/proxy.lab.example', True), ('HTTP/other.lab.example', False):
    expect(f'Samba to {target}', SambaClient('ntlmssp', USER, PASSWORD, True), ours(policy='allow', target=target), let_in,
           'AF' if let_in else 'target')

lab.step('our initiator, their servers')
OURS = {'user': USER, 'password': PASSWORD, 'domain': DOMAIN, 'workstation': 'PC', 'target': 'HTTP/proxy.lab.example'}
for name, party, wrapped in servers(PASSWORD):
    mine = OURS | ({'spnego': 1} if wrapped else {})
    expect(f'we to {name}', Ours('initiate', **mine), party())
    expect(f'we to {name}, with names', Ours('initiate', **mine, names=1), party())
    expect(f'we to {name}, wrong password', Ours('initiate', **(mine | {'password': 'Wrong1'})), party(), let_in=False)
    if wrapped:
        expect(f'we to {name}, Kerberos first', Ours('initiate', **mine, kerberos_first=1), party())
for wrapped in False, True:
    mine = OURS | ({'spnego': 1} if wrapped else {})
    for sent, let_in in (BINDING, True), (BINDING + '!', False):
        expect(f'we to gss-ntlmssp with a {"right" if let_in else "wrong"} binding', Ours('initiate', **mine, binding=sent),
               Gss('accept', USER, PASSWORD, binding=BINDING), let_in)
lab.done()
