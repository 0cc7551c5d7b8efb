"""Creates the stack of a template on moto, in its own environment, and prints what the services of AWS then list."""

import json
import sys
from pathlib import Path
from typing import Any

import boto3
from moto import mock_aws

REGION = "eu-west-1"


@mock_aws  # type: ignore[untyped-decorator]
def created(template: str) -> dict[str, Any]:
    """Return the state of the stack, and its task definition, service and function as their clients list them."""
    ec2, cloudformation, ecs, functions = (
        boto3.client(name, region_name=REGION, aws_access_key_id="none", aws_secret_access_key="none")
        for name in ("ec2", "cloudformation", "ecs", "lambda")
    )
    subnets = [subnet["SubnetId"] for subnet in ec2.describe_subnets()["Subnets"][:2]]
    groups = [group["GroupId"] for group in ec2.describe_security_groups()["SecurityGroups"][:1]]
    secret = f"arn:aws:secretsmanager:{REGION}:123456789012:secret:name"
    parameters = {
        "ServingImage": f"123456789012.dkr.ecr.{REGION}.amazonaws.com/serving@sha256:{'0' * 64}",
        "FunctionImage": f"123456789012.dkr.ecr.{REGION}.amazonaws.com/titanic@sha256:{'0' * 64}",
        "MonitorAddress": "https://monitor.example.org",
        "DatabaseHost": "database.example.org",
        "DatabasePasswordArn": secret,
        "TokenArn": secret,
        "TokensFileSystem": "fs-00000000000000000",
        "ModelBucket": "models",
        "Subnets": ",".join(subnets),
        "SecurityGroups": ",".join(groups),
    }
    cloudformation.create_stack(
        StackName="titanic",
        TemplateBody=template,
        Capabilities=["CAPABILITY_IAM"],
        Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
    )
    cluster = "driftline-titanic"
    services = ecs.list_services(cluster=cluster)["serviceArns"]
    service = ecs.describe_services(cluster=cluster, services=services)["services"][0]
    task = ecs.describe_task_definition(taskDefinition=service["taskDefinition"])["taskDefinition"]
    return {
        "state": cloudformation.describe_stacks(StackName="titanic")["Stacks"][0]["StackStatus"],
        "count": service["desiredCount"],
        "environment": {entry["name"]: entry["value"] for entry in task["containerDefinitions"][0]["environment"]},
        "secrets": [entry["name"] for entry in task["containerDefinitions"][0]["secrets"]],
        "function": functions.get_function(FunctionName="driftline-titanic")["Configuration"]["Environment"],
    }


if __name__ == "__main__":
    json.dump(created(Path(sys.argv[1]).read_text()), sys.stdout)
