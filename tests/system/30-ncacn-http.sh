#!/usr/bin/env bash
# Goal: next hop ncacn_http, against a server role written for the tests: both proxies open their own leg and speak A2, B2,
# C1, B3; more than 1 MiB each way; windows honoured on every hop; close from each side and in each state; servers that
# misbehave end their own tunnel only.
. "$(dirname "$0")/lab.sh"
lab_server http=http plain=tcp no_banner=http,no_banner late_banner=http,late_banner split=http,split big_endian=http,big_endian \
    wrong_cookie=http,wrong_cookie small=http,window=8192 never_ack=http,never_ack bind_nak=http,bind_nak rpc_on_in=http,rpc_on_in \
    close_accept=http,close=accept close_a2=http,close=a2 close_b2=http,close=b2 close_opened=http,close=opened \
    close_bind=http,close=bind close_request=http,close=request
lab_daemon 'setup_timeout = 2s'
python "$lab_here/ncacn_http.py"
