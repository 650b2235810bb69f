package dev.berth.acceptance;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.NavigableMap;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import software.amazon.awssdk.core.SdkBytes;
import software.amazon.awssdk.services.apigateway.ApiGatewayClient;
import software.amazon.awssdk.services.apigatewayv2.ApiGatewayV2Client;
import software.amazon.awssdk.services.apigatewayv2.model.ProtocolType;
import software.amazon.awssdk.services.autoscaling.AutoScalingClient;
import software.amazon.awssdk.services.cloudwatch.CloudWatchClient;
import software.amazon.awssdk.services.cloudwatch.model.ComparisonOperator;
import software.amazon.awssdk.services.cloudwatch.model.Statistic;
import software.amazon.awssdk.services.dynamodb.DynamoDbClient;
import software.amazon.awssdk.services.dynamodb.model.BillingMode;
import software.amazon.awssdk.services.dynamodb.model.KeyType;
import software.amazon.awssdk.services.dynamodb.model.ScalarAttributeType;
import software.amazon.awssdk.services.ec2.Ec2Client;
import software.amazon.awssdk.services.ec2.model.VpcEndpointType;
import software.amazon.awssdk.services.ecs.EcsClient;
import software.amazon.awssdk.services.elasticloadbalancing.ElasticLoadBalancingClient;
import software.amazon.awssdk.services.elasticloadbalancingv2.ElasticLoadBalancingV2Client;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.ActionTypeEnum;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.ProtocolEnum;
import software.amazon.awssdk.services.eventbridge.EventBridgeClient;
import software.amazon.awssdk.services.kms.KmsClient;
import software.amazon.awssdk.services.lambda.LambdaClient;
import software.amazon.awssdk.services.lambda.model.Runtime;
import software.amazon.awssdk.services.rds.RdsClient;
import software.amazon.awssdk.services.route53.Route53Client;
import software.amazon.awssdk.services.route53.model.ChangeAction;
import software.amazon.awssdk.services.route53.model.RRType;
import software.amazon.awssdk.services.sfn.SfnClient;
import software.amazon.awssdk.services.sns.SnsClient;
import software.amazon.awssdk.services.sqs.SqsClient;
import software.amazon.awssdk.services.ssm.SsmClient;
import software.amazon.awssdk.services.ssm.model.ParameterType;

/** How one of each type of things is made in an account: with what hinders its deletion, where something can. */
@SuppressWarnings("unchecked") // varargs of the SDK are of generic types
final class AwsTypes {
    private final AwsAccount account;
    private final NavigableMap<String, Consumer<String>> makers = new TreeMap<>();
    private int networks;

    AwsTypes(AwsAccount account) {
        this.account = account;
        compute();
        services();
        databases();
        stores();
        balancers();
        network();
        identities();
    }

    /** By type; each is given a name and makes one, and perhaps what that needs. */
    NavigableMap<String, Consumer<String>> makers() {
        return makers;
    }

    private void compute() {
        var lambda = account.client(LambdaClient.builder());
        makers.put("lambda function", name -> function(lambda, name));
        makers.put("event source mapping", name -> {
            function(lambda, name + "-mapped");
            account.client(SqsClient.builder()).createQueue(create -> create.queueName(name + "-mapped"));
            lambda.createEventSourceMapping(create -> create.functionName(name + "-mapped")
                    .eventSourceArn("arn:aws:sqs:%s:%s:%s-mapped".formatted(account.region(), account.id(), name)));
        });
        makers.put(
                "lambda layer",
                name -> lambda.publishLayerVersion(
                        publish -> publish.layerName(name).content(content -> content.zipFile(zip()))));
        var scaling = account.client(AutoScalingClient.builder());
        makers.put("launch configuration", name -> launchConfiguration(scaling, name));
        makers.put("auto scaling group", name -> {
            launchConfiguration(scaling, name + "-group");
            scaling.createAutoScalingGroup(create -> create.autoScalingGroupName(name)
                    .launchConfigurationName(name + "-group")
                    .availabilityZones(account.region() + "a")
                    .minSize(0)
                    .maxSize(1));
        });
        var ecs = account.client(EcsClient.builder());
        makers.put("ecs cluster", name -> {
            ecs.createCluster(create -> create.clusterName(name));
        });
        makers.put("ecs task definition", name -> taskDefinition(ecs, name));
        makers.put("ecs service", name -> {
            ecs.createCluster(create -> create.clusterName(name + "-serving"));
            taskDefinition(ecs, name + "-serving");
            ecs.createService(create -> create.cluster(name + "-serving")
                    .serviceName(name)
                    .taskDefinition(name + "-serving")
                    .desiredCount(2));
        });
        var ec2 = account.ec2();
        // The emulator keeps interfaces of instances that are gone, unless it is told.
        makers.put("ec2 instance", name -> {
            var subnet = subnet(vpc());
            ec2.runInstances(run -> run.imageId("ami-12345678")
                    .minCount(1)
                    .maxCount(1)
                    .networkInterfaces(
                            own -> own.deviceIndex(0).subnetId(subnet).deleteOnTermination(true)));
        });
        makers.put(
                "launch template",
                name -> ec2.createLaunchTemplate(create ->
                        create.launchTemplateName(name).launchTemplateData(data -> data.imageId("ami-12345678"))));
        makers.put("volume", name -> volume(ec2));
        makers.put("snapshot", name -> ec2.createSnapshot(create -> create.volumeId(volume(ec2))));
        makers.put(
                "image",
                name -> ec2.registerImage(register -> register.name(name).rootDeviceName("/dev/sda1")));
        makers.put("key pair", name -> ec2.createKeyPair(create -> create.keyName(name)));
    }

    private void function(LambdaClient lambda, String name) {
        lambda.createFunction(create -> create.functionName(name)
                .role(account.adminRole())
                .runtime(Runtime.PYTHON3_12)
                .handler("index.handler")
                .code(code -> code.zipFile(zip())));
    }

    private static SdkBytes zip() {
        var bytes = new ByteArrayOutputStream();
        try (var zip = new ZipOutputStream(bytes)) {
            zip.putNextEntry(new ZipEntry("index.py"));
            zip.closeEntry();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return SdkBytes.fromByteArray(bytes.toByteArray());
    }

    private static void launchConfiguration(AutoScalingClient scaling, String name) {
        scaling.createLaunchConfiguration(create ->
                create.launchConfigurationName(name).imageId("ami-12345678").instanceType("t3.micro"));
    }

    private static void taskDefinition(EcsClient ecs, String family) {
        ecs.registerTaskDefinition(register -> register.family(family)
                .containerDefinitions(
                        container -> container.name("one").image("image").memory(128)));
    }

    private String volume(Ec2Client ec2) {
        return ec2.createVolume(create ->
                        create.availabilityZone(account.region() + "a").size(1))
                .volumeId();
    }

    private void services() {
        var rest = account.client(ApiGatewayClient.builder());
        makers.put("rest api", name -> rest.createRestApi(create -> create.name(name)));
        var http = account.client(ApiGatewayV2Client.builder());
        makers.put(
                "http api", name -> http.createApi(create -> create.name(name).protocolType(ProtocolType.HTTP)));
        var events = account.client(EventBridgeClient.builder());
        makers.put("eventbridge bus", name -> events.createEventBus(create -> create.name(name)));
        makers.put("eventbridge rule", name -> {
            rule(events, "default", name);
            events.createEventBus(create -> create.name(name + "-ruled"));
            rule(events, name + "-ruled", name);
        });
        makers.put(
                "state machine",
                name -> account.client(SfnClient.builder())
                        .createStateMachine(create -> create.name(name)
                                .roleArn(account.adminRole())
                                .definition("{\"StartAt\":\"S\",\"States\":{\"S\":{\"Type\":\"Succeed\"}}}")));
        var alarms = account.client(CloudWatchClient.builder());
        makers.put(
                "cloudwatch alarm",
                name -> alarms.putMetricAlarm(put -> put.alarmName(name)
                        .namespace("n")
                        .metricName("m")
                        .period(60)
                        .evaluationPeriods(1)
                        .statistic(Statistic.SUM)
                        .threshold(1.0)
                        .comparisonOperator(ComparisonOperator.GREATER_THAN_THRESHOLD)));
        makers.put(
                "cloudwatch dashboard",
                name -> alarms.putDashboard(put -> put.dashboardName(name).dashboardBody("{\"widgets\":[]}")));
        makers.put("sns topic", name -> account.client(SnsClient.builder()).createTopic(create -> create.name(name)));
        makers.put("hosted zone", this::zone);
    }

    private static void rule(EventBridgeClient events, String bus, String name) {
        events.putRule(put -> put.eventBusName(bus).name(name).eventPattern("{\"source\":[\"berth\"]}"));
        events.putTargets(put -> put.eventBusName(bus)
                .rule(name)
                .targets(target -> target.id("1").arn("arn:aws:sqs:eu-west-1:123456789012:any")));
    }

    private void zone(String name) {
        var zones = account.client(Route53Client.builder());
        var id = zones.createHostedZone(
                        create -> create.name(name + ".example.com").callerReference(name))
                .hostedZone()
                .id();
        zones.changeResourceRecordSets(change -> change.hostedZoneId(id)
                .changeBatch(batch -> batch.changes(one -> one.action(ChangeAction.CREATE)
                        .resourceRecordSet(set -> set.name("www." + name + ".example.com")
                                .type(RRType.A)
                                .ttl(60L)
                                .resourceRecords(record -> record.value("192.0.2.1"))))));
    }

    private void databases() {
        var rds = account.client(RdsClient.builder());
        makers.put("rds instance", name -> instance(rds, name, true));
        makers.put("rds cluster", name -> cluster(rds, name, true));
        makers.put("rds snapshot", name -> {
            instance(rds, name + "-of", false);
            rds.createDBSnapshot(
                    create -> create.dbInstanceIdentifier(name + "-of").dbSnapshotIdentifier(name));
        });
        makers.put("rds cluster snapshot", name -> {
            cluster(rds, name + "-of", false);
            rds.createDBClusterSnapshot(
                    create -> create.dbClusterIdentifier(name + "-of").dbClusterSnapshotIdentifier(name));
        });
        makers.put("rds subnet group", name -> {
            var subnet = subnet(vpc());
            rds.createDBSubnetGroup(create -> create.dbSubnetGroupName(name)
                    .dbSubnetGroupDescription(name)
                    .subnetIds(subnet));
        });
        makers.put(
                "rds parameter group",
                name -> rds.createDBParameterGroup(create -> create.dbParameterGroupName(name)
                        .dbParameterGroupFamily("postgres16")
                        .description(name)));
    }

    private static void instance(RdsClient rds, String name, boolean guarded) {
        rds.createDBInstance(create -> create.dbInstanceIdentifier(name)
                .dbInstanceClass("db.t3.micro")
                .engine("postgres")
                .allocatedStorage(20)
                .masterUsername("root")
                .masterUserPassword("password")
                .deletionProtection(guarded));
    }

    private static void cluster(RdsClient rds, String name, boolean guarded) {
        rds.createDBCluster(create -> create.dbClusterIdentifier(name)
                .engine("aurora-postgresql")
                .masterUsername("root")
                .masterUserPassword("password")
                .deletionProtection(guarded));
    }

    private void stores() {
        makers.put("s3 bucket", name -> {
            account.bucket(name + "-" + account.id());
            account.fill(name + "-" + account.id());
        });
        makers.put("ecr repository", name -> {
            account.ecr().createRepository(create -> create.repositoryName(name));
            account.image(name);
        });
        makers.put("log group", name -> account.logs().createLogGroup(create -> create.logGroupName("/" + name)));
        makers.put(
                "dynamodb table",
                name -> account.client(DynamoDbClient.builder())
                        .createTable(create -> create.tableName(name)
                                .attributeDefinitions(attribute ->
                                        attribute.attributeName("k").attributeType(ScalarAttributeType.S))
                                .keySchema(key -> key.attributeName("k").keyType(KeyType.HASH))
                                .billingMode(BillingMode.PAY_PER_REQUEST)
                                .deletionProtectionEnabled(true)));
        makers.put(
                "sqs queue", name -> account.client(SqsClient.builder()).createQueue(create -> create.queueName(name)));
        makers.put(
                "ssm parameter",
                name -> account.client(SsmClient.builder())
                        .putParameter(put -> put.name("/" + name).value("v").type(ParameterType.STRING)));
        makers.put(
                "secret",
                name -> account.secrets()
                        .createSecret(create -> create.name(name).secretString("x")));
        var kms = account.client(KmsClient.builder());
        makers.put("kms key", name -> kms.createKey());
        makers.put("kms alias", name -> {
            var key = kms.createKey().keyMetadata().keyId();
            kms.createAlias(create -> create.aliasName("alias/" + name).targetKeyId(key));
        });
    }

    private void balancers() {
        var balancers = account.client(ElasticLoadBalancingV2Client.builder());
        makers.put(
                "target group",
                name -> balancers.createTargetGroup(create ->
                        create.name(name).protocol(ProtocolEnum.HTTP).port(80).vpcId(vpc())));
        makers.put("load balancer", name -> {
            var vpc = vpc();
            var subnet = subnet(vpc);
            var balancer = balancers
                    .createLoadBalancer(create -> create.name(name).subnets(subnet))
                    .loadBalancers()
                    .getFirst()
                    .loadBalancerArn();
            var targets = balancers
                    .createTargetGroup(create -> create.name(name + "-of")
                            .protocol(ProtocolEnum.HTTP)
                            .port(80)
                            .vpcId(vpc))
                    .targetGroups()
                    .getFirst()
                    .targetGroupArn();
            balancers.createListener(create -> create.loadBalancerArn(balancer)
                    .protocol(ProtocolEnum.HTTP)
                    .port(80)
                    .defaultActions(
                            action -> action.type(ActionTypeEnum.FORWARD).targetGroupArn(targets)));
        });
        makers.put(
                "classic load balancer",
                name -> account.client(ElasticLoadBalancingClient.builder())
                        .createLoadBalancer(create -> create.loadBalancerName(name)
                                .availabilityZones(account.region() + "a")
                                .listeners(listener -> listener.protocol("HTTP")
                                        .loadBalancerPort(80)
                                        .instancePort(80))));
    }

    private void network() {
        var ec2 = account.ec2();
        makers.put("vpc", name -> vpc());
        makers.put("subnet", name -> subnet(vpc()));
        makers.put("route table", name -> ec2.createRouteTable(create -> create.vpcId(vpc())));
        makers.put("nat gateway", name -> {
            var subnet = subnet(vpc());
            ec2.createNatGateway(create -> create.subnetId(subnet));
        });
        makers.put("vpc endpoint", name -> {
            var vpc = vpc();
            var subnet = subnet(vpc);
            ec2.createVpcEndpoint(create -> create.vpcId(vpc)
                    .vpcEndpointType(VpcEndpointType.INTERFACE)
                    .serviceName("com.amazonaws." + account.region() + ".sqs")
                    .subnetIds(subnet));
        });
        makers.put("network interface", name -> {
            var subnet = subnet(vpc());
            ec2.createNetworkInterface(create -> create.subnetId(subnet));
        });
        makers.put("security group", name -> {
            var vpc = vpc();
            var group = ec2.createSecurityGroup(
                            create -> create.vpcId(vpc).groupName(name).description(name))
                    .groupId();
            ec2.authorizeSecurityGroupIngress(authorize -> authorize
                    .groupId(group)
                    .ipPermissions(permission -> permission
                            .ipProtocol("tcp")
                            .fromPort(80)
                            .toPort(80)
                            .userIdGroupPairs(pair -> pair.groupId(group))));
        });
        makers.put("elastic ip", name -> ec2.allocateAddress(allocate -> {}));
        makers.put("internet gateway", name -> {
            var gateway = ec2.createInternetGateway().internetGateway().internetGatewayId();
            var vpc = vpc();
            ec2.attachInternetGateway(
                    attach -> attach.internetGatewayId(gateway).vpcId(vpc));
        });
    }

    private String vpc() {
        return account.ec2()
                .createVpc(create -> create.cidrBlock("10.%d.0.0/16".formatted(++networks)))
                .vpc()
                .vpcId();
    }

    private String subnet(String vpc) {
        return account.ec2()
                .createSubnet(create -> create.vpcId(vpc).cidrBlock("10.%d.1.0/24".formatted(networks)))
                .subnet()
                .subnetId();
    }

    private void identities() {
        var iam = account.iam();
        makers.put(
                "iam role",
                name -> iam.createRole(create -> create.roleName(name).assumeRolePolicyDocument(AwsAccount.TRUST)));
        makers.put("iam user", name -> {
            iam.createUser(create -> create.userName(name));
            iam.createAccessKey(create -> create.userName(name));
            iam.createLoginProfile(create -> create.userName(name).password("Aa1!aaaaaaaa"));
            iam.putUserPolicy(put -> put.userName(name).policyName("p").policyDocument(AwsAccount.ANYTHING));
        });
        makers.put("iam group", name -> {
            iam.createGroup(create -> create.groupName(name));
            iam.createUser(create -> create.userName(name + "-member"));
            iam.addUserToGroup(add -> add.groupName(name).userName(name + "-member"));
        });
        makers.put("iam policy", name -> {
            var policy = iam.createPolicy(create -> create.policyName(name).policyDocument(AwsAccount.ANYTHING))
                    .policy()
                    .arn();
            iam.createPolicyVersion(create -> create.policyArn(policy).policyDocument(AwsAccount.ANYTHING));
            iam.createRole(create -> create.roleName(name + "-with").assumeRolePolicyDocument(AwsAccount.TRUST));
            iam.attachRolePolicy(attach -> attach.roleName(name + "-with").policyArn(policy));
        });
        makers.put("instance profile", name -> {
            iam.createInstanceProfile(create -> create.instanceProfileName(name));
            iam.createRole(create -> create.roleName(name + "-profiled").assumeRolePolicyDocument(AwsAccount.TRUST));
            iam.addRoleToInstanceProfile(add -> add.instanceProfileName(name).roleName(name + "-profiled"));
        });
        makers.put("identity provider", name -> {
            iam.createOpenIDConnectProvider(create -> create.url("https://" + name + ".example.com")
                    .thumbprintList("990F4193972F2BECF12DDEDA5237F9C952F20D9E"));
            iam.createSAMLProvider(create -> create.name(name).samlMetadataDocument("x".repeat(1024)));
        });
    }
}
