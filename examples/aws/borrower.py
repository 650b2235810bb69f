"""A job that borrows an account: says who it is and what it finds, and leaves a mess behind."""

import json

import boto3

print("I am", boto3.client("sts").get_caller_identity()["Arn"])
s3, stacks, iam = boto3.client("s3"), boto3.client("cloudformation"), boto3.client("iam")
print("buckets:", [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]])
print("stacks: ", [stack["StackName"] for stack in stacks.describe_stacks()["Stacks"]])
print("users:  ", [user["UserName"] for user in iam.list_users()["Users"]])

where = {"LocationConstraint": s3.meta.region_name}
s3.create_bucket(Bucket="left-behind", CreateBucketConfiguration=where)
s3.put_object(Bucket="left-behind", Key="file", Body=b"something")
template = {"Resources": {"Bucket": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "in-a-stack"}}}}
stacks.create_stack(StackName="left-behind", TemplateBody=json.dumps(template))
iam.create_user(UserName="back-door")
print("I leave two buckets, a stack and a user behind")
