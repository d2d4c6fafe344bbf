"""A store that speaks as S3 does, on loopback, with one bucket, until its standard input ends. Takes the port, 0 for any."""

import sys

import boto3
from moto.server import ThreadedMotoServer

server = ThreadedMotoServer("127.0.0.1", port=int(sys.argv[1]), verbose=False)
server.start()
port = server.get_host_and_port()[1]
client = boto3.client(
    "s3",
    endpoint_url=f"http://127.0.0.1:{port}",
    aws_access_key_id="demo",
    aws_secret_access_key="planted-secret",
    region_name="us-east-1",
)
client.create_bucket(Bucket="demo-backups")
print(port, flush=True)
sys.stdin.read()
