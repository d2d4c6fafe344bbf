"""Fails unless a post is signed as `standardwebhooks` signs it: the argument is {"secret", "headers", "body"}. Its time is the program's, which tests move."""

import json
import sys
from datetime import datetime, timezone

from standardwebhooks import Webhook

post = json.loads(sys.argv[1])
headers = post["headers"]
at = datetime.fromtimestamp(int(headers["webhook-timestamp"]), tz=timezone.utc)
signature = Webhook(post["secret"]).sign(headers["webhook-id"], at, post["body"])
assert signature in headers["webhook-signature"].split(), headers
