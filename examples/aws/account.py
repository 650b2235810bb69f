"""What an operator does by hand in a new account: the role that is lent, and a bucket that belongs there."""

import json

import boto3

ACCOUNT = "111111111111"
REGION = "eu-west-1"

TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::123456789012:root"}, "Action": "sts:AssumeRole"}],
}
EVERYTHING = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}

# The emulator has every account from the beginning, and lets everybody into all of them.
owner = boto3.client("sts", REGION).assume_role(
    RoleArn=f"arn:aws:iam::{ACCOUNT}:role/Owner", RoleSessionName="owner"
)["Credentials"]
account = boto3.Session(owner["AccessKeyId"], owner["SecretAccessKey"], owner["SessionToken"], REGION)

iam = account.client("iam")
iam.create_role(RoleName="BerthAdmin", AssumeRolePolicyDocument=json.dumps(TRUST))
iam.put_role_policy(RoleName="BerthAdmin", PolicyName="everything", PolicyDocument=json.dumps(EVERYTHING))
account.client("s3").create_bucket(
    Bucket="belongs-here", CreateBucketConfiguration={"LocationConstraint": REGION}
)
