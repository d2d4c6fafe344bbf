"""Verifies a post as its receiver does, with `standardwebhooks`: reads {"secret", "headers", "body"} and prints what was posted."""

import json
import sys

from standardwebhooks import Webhook

post = json.load(sys.stdin)
print(json.dumps(Webhook(post["secret"]).verify(post["body"], post["headers"])))
