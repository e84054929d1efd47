"""The people of ad-server.sh:  ad_people.py SMB.CONF PASSWORD, before the domain controller runs."""
import sys

from samba.auth import system_session
from samba.param import LoadParm
from samba.samdb import SamDB

config, password = sys.argv[1:]
loaded = LoadParm()
loaded.load(config)
db = SamDB(url=loaded.private_path('sam.ldb'), session_info=system_session(), lp=loaded)

db.newgroup('Mail Users')
db.newgroup('Staff')
for name in 'alice', 'bob', 'dora', 'jörg', 'gone', 'old', 'fresh', 'guarded', 'local', 'shut':
    db.newuser(name, password, force_password_change_at_next_login_req=name == 'fresh')
db.add_remove_group_members('Staff', ['dora'])
db.add_remove_group_members('Mail Users', ['alice', 'jörg', 'gone', 'old', 'fresh', 'guarded', 'local', 'shut', 'Staff'])
db.add_remove_group_members('Protected Users', ['guarded'])
db.disable_account('(sAMAccountName=gone)')
db.setexpiry('(sAMAccountName=old)', -86400)
