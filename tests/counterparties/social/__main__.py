"""OAuth 2.0 servers in the dialects of GitHub, Facebook, X and LinkedIn, below /github, /facebook, /x and /linkedin. The protocol is
Authlib's; paths, shapes and quirks are from the providers' own documentation.

Clients: social-client, social-secret; second-client, second-secret. Whoever POST /__ctl/next?account= names agrees by itself (else
alice); `deny` refuses. POST /__ctl/user?account= {…} changes what is known about somebody; GET /__ctl/issued, GET /__ctl/log."""
from serving import serve

from . import facebook, github, linkedin, x  # noqa: F401: each adds its paths
from .engine import app, here

serve(app, lambda own: here.update(base=own))
