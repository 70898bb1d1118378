"""The user that runs the tests."""

import os
import pwd

OWN_USER = pwd.getpwuid(os.geteuid()).pw_name
