package dev.berth.providers.aws;

import static dev.berth.providers.aws.Sweeper.regional;
import static dev.berth.providers.aws.Sweeper.shared;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableSet;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import software.amazon.awssdk.services.cloudformation.model.Stack;
import software.amazon.awssdk.services.ec2.model.InstanceStateName;
import software.amazon.awssdk.services.ec2.model.NetworkInterfaceStatus;
import software.amazon.awssdk.services.ec2.model.SecurityGroup;
import software.amazon.awssdk.services.ec2.model.Tag;
import software.amazon.awssdk.services.kms.model.KeyListEntry;
import software.amazon.awssdk.services.kms.model.KeyManagerType;
import software.amazon.awssdk.services.kms.model.KeyMetadata;
import software.amazon.awssdk.services.kms.model.KeyState;

/**
 * All types of things that are listed, compared and swept, in the order in which they are deleted: what uses others comes before them.
 * What is deleted too early all the same is tried again.
 */
final class Catalogue {
    static final String STACK = "cloudformation stack";
    /** The roles that are lent, with all that says who may assume them and what they may do. */
    static final String LENT_ROLE = "lent role";

    private static final int KEY_DAYS = 7;

    private Catalogue() {}

    /** Of stacks, which own others of this list, {@link Stacks} takes care. */
    static final Sweeper STACKS = regional(STACK, Catalogue::stacks, (_, stack) -> {
        throw new IllegalArgumentException("a stack is not swept: " + stack);
    });

    /** The table. */
    static final List<Sweeper> SWEEPERS = List.of(
            regional(
                    "ec2 instance",
                    Catalogue::instances,
                    (session, one) -> session.ec2().terminateInstances(terminate -> terminate.instanceIds(one.key()))),
            regional(
                    "nat gateway",
                    Catalogue::natGateways,
                    (session, one) -> session.ec2().deleteNatGateway(delete -> delete.natGatewayId(one.key()))),
            regional(
                    "vpc endpoint",
                    Catalogue::vpcEndpoints,
                    (session, one) -> session.ec2().deleteVpcEndpoints(delete -> delete.vpcEndpointIds(one.key()))),
            regional("network interface", Catalogue::networkInterfaces, Catalogue::deleteNetworkInterface),
            regional("security group", Catalogue::securityGroups, Catalogue::deleteSecurityGroup),
            regional(
                    "elastic ip",
                    Catalogue::addresses,
                    (session, one) -> session.ec2().releaseAddress(release -> release.allocationId(one.key()))),
            regional("internet gateway", Catalogue::internetGateways, Catalogue::deleteInternetGateway),
            regional(
                    "subnet",
                    Catalogue::subnets,
                    (session, one) -> session.ec2().deleteSubnet(delete -> delete.subnetId(one.key()))),
            regional(
                    "route table",
                    Catalogue::routeTables,
                    (session, one) -> session.ec2().deleteRouteTable(delete -> delete.routeTableId(one.key()))),
            regional(
                    "vpc",
                    Catalogue::vpcs,
                    (session, one) -> session.ec2().deleteVpc(delete -> delete.vpcId(one.key()))),
            regional(
                    "volume",
                    Catalogue::volumes,
                    (session, one) -> session.ec2().deleteVolume(delete -> delete.volumeId(one.key()))),
            regional(
                    "snapshot",
                    Catalogue::snapshots,
                    (session, one) -> session.ec2().deleteSnapshot(delete -> delete.snapshotId(one.key()))),
            regional(
                    "image",
                    Catalogue::images,
                    (session, one) -> session.ec2().deregisterImage(delete -> delete.imageId(one.key()))),
            regional(
                    "key pair",
                    Catalogue::keyPairs,
                    (session, one) -> session.ec2().deleteKeyPair(delete -> delete.keyPairId(one.key()))),
            regional(
                    "launch template",
                    Catalogue::launchTemplates,
                    (session, one) -> session.ec2().deleteLaunchTemplate(delete -> delete.launchTemplateId(one.key()))),
            Buckets.SWEEPER,
            regional(
                    "ecr repository",
                    Catalogue::repositories,
                    (session, one) -> session.ecr()
                            .deleteRepository(
                                    delete -> delete.repositoryName(one.name()).force(true)),
                    Catalogue::repositoryTags),
            regional(
                    "log group",
                    Catalogue::logGroups,
                    (session, one) -> session.logs().deleteLogGroup(delete -> delete.logGroupName(one.name())),
                    Catalogue::logGroupTags),
            regional("dynamodb table", Catalogue::tables, Catalogue::deleteTable),
            regional(
                    "sqs queue",
                    Catalogue::queues,
                    (session, one) -> session.queues().deleteQueue(delete -> delete.queueUrl(one.key()))),
            regional(
                    "ssm parameter",
                    Catalogue::parameters,
                    (session, one) -> session.ssm().deleteParameter(delete -> delete.name(one.name()))),
            regional(
                    "secret",
                    Catalogue::secrets,
                    (session, one) -> session.secrets()
                            .deleteSecret(delete -> delete.secretId(one.key()).forceDeleteWithoutRecovery(true))),
            regional(
                    "kms alias",
                    Catalogue::aliases,
                    (session, one) -> session.kms().deleteAlias(delete -> delete.aliasName(one.name()))),
            regional(
                    "kms key",
                    Catalogue::keys,
                    (session, one) -> session.kms()
                            .scheduleKeyDeletion(
                                    delete -> delete.keyId(one.key()).pendingWindowInDays(KEY_DAYS))),
            shared("instance profile", Catalogue::instanceProfiles, Catalogue::deleteInstanceProfile),
            shared(Iam.ROLE, Iam::roles, Iam::deleteRole),
            shared(Iam.USER, Iam::users, Iam::deleteUser),
            shared(Iam.GROUP, Iam::groups, Iam::deleteGroup),
            shared(Iam.POLICY, Iam::policies, Iam::deletePolicy),
            shared("identity provider", Iam::providers, Iam::deleteProvider));

    /** The names of all types. */
    static final NavigableSet<String> TYPES = new TreeSet<>(
            Stream.concat(Stream.of(STACK, LENT_ROLE), SWEEPERS.stream().map(Sweeper::type))
                    .toList());

    private static final Set<InstanceStateName> GONE = Set.of(InstanceStateName.TERMINATED);

    private static Stream<Thing> stacks(Session session) {
        return session.stacks().describeStacksPaginator(_ -> {}).stacks().stream()
                .filter(stack -> stack.parentId() == null)
                .map(Catalogue::stack);
    }

    static Thing stack(Stack stack) {
        Map<String, String> tags = new HashMap<>();
        stack.tags().forEach(tag -> tags.put(tag.key(), tag.value()));
        String id = stack.stackId();
        return new Thing(
                STACK,
                stack.stackName(),
                stack.stackName() + id.substring(id.lastIndexOf('/')),
                stack.lastUpdatedTime() == null ? "" : "updated " + stack.lastUpdatedTime(),
                tags);
    }

    private static Thing ec2(String type, String id, List<Tag> own) {
        Map<String, String> tags = new HashMap<>();
        own.forEach(tag -> tags.put(tag.key(), tag.value()));
        return new Thing(type, tags.getOrDefault("Name", id), id, "", tags);
    }

    private static Stream<Thing> instances(Session session) {
        return session.ec2().describeInstancesPaginator(_ -> {}).reservations().stream()
                .flatMap(reservation -> reservation.instances().stream())
                .filter(one -> !GONE.contains(one.state().name()))
                .map(one -> ec2("ec2 instance", one.instanceId(), one.tags()));
    }

    private static Stream<Thing> natGateways(Session session) {
        return session.ec2().describeNatGatewaysPaginator(_ -> {}).natGateways().stream()
                .filter(one -> !"deleted".equals(one.stateAsString()))
                .map(one -> ec2("nat gateway", one.natGatewayId(), one.tags()));
    }

    private static Stream<Thing> vpcEndpoints(Session session) {
        return session.ec2().describeVpcEndpointsPaginator(_ -> {}).vpcEndpoints().stream()
                .filter(one -> !"deleted".equalsIgnoreCase(one.stateAsString()))
                .map(one -> ec2("vpc endpoint", one.vpcEndpointId(), one.tags()));
    }

    private static Stream<Thing> networkInterfaces(Session session) {
        return session.ec2().describeNetworkInterfacesPaginator(_ -> {}).networkInterfaces().stream()
                .map(one -> ec2("network interface", one.networkInterfaceId(), one.tagSet()));
    }

    /** One that is in use goes with what uses it. */
    private static void deleteNetworkInterface(Session session, Thing one) {
        boolean free = session
                .ec2()
                .describeNetworkInterfaces(describe -> describe.networkInterfaceIds(one.key()))
                .networkInterfaces()
                .stream()
                .anyMatch(found -> found.status() == NetworkInterfaceStatus.AVAILABLE);
        if (free) {
            session.ec2().deleteNetworkInterface(delete -> delete.networkInterfaceId(one.key()));
        }
    }

    /** Every VPC has a group called default, which lives and dies with it. */
    private static Stream<Thing> securityGroups(Session session) {
        return session.ec2().describeSecurityGroupsPaginator(_ -> {}).securityGroups().stream()
                .filter(one -> !"default".equals(one.groupName()))
                .map(one -> ec2("security group", one.groupId(), one.tags()));
    }

    /** Two groups may name each other, and then neither can be deleted. */
    private static void deleteSecurityGroup(Session session, Thing one) {
        for (SecurityGroup group : session.ec2()
                .describeSecurityGroups(describe -> describe.groupIds(one.key()))
                .securityGroups()) {
            if (!group.ipPermissions().isEmpty()) {
                session.ec2()
                        .revokeSecurityGroupIngress(
                                revoke -> revoke.groupId(one.key()).ipPermissions(group.ipPermissions()));
            }
        }
        session.ec2().deleteSecurityGroup(delete -> delete.groupId(one.key()));
    }

    private static Stream<Thing> addresses(Session session) {
        return session.ec2().describeAddresses().addresses().stream()
                .map(one -> ec2("elastic ip", one.allocationId(), one.tags()));
    }

    private static Stream<Thing> internetGateways(Session session) {
        return session.ec2().describeInternetGatewaysPaginator(_ -> {}).internetGateways().stream()
                .map(one -> ec2("internet gateway", one.internetGatewayId(), one.tags()));
    }

    private static void deleteInternetGateway(Session session, Thing one) {
        session
                .ec2()
                .describeInternetGateways(describe -> describe.internetGatewayIds(one.key()))
                .internetGateways()
                .stream()
                .flatMap(gateway -> gateway.attachments().stream())
                .forEach(attached -> session.ec2()
                        .detachInternetGateway(
                                detach -> detach.internetGatewayId(one.key()).vpcId(attached.vpcId())));
        session.ec2().deleteInternetGateway(delete -> delete.internetGatewayId(one.key()));
    }

    private static Stream<Thing> subnets(Session session) {
        return session.ec2().describeSubnetsPaginator(_ -> {}).subnets().stream()
                .filter(one -> !Boolean.TRUE.equals(one.defaultForAz()))
                .map(one -> ec2("subnet", one.subnetId(), one.tags()));
    }

    /** The main one goes with its VPC. */
    private static Stream<Thing> routeTables(Session session) {
        return session.ec2().describeRouteTablesPaginator(_ -> {}).routeTables().stream()
                .filter(one -> one.associations().stream().noneMatch(is -> Boolean.TRUE.equals(is.main())))
                .map(one -> ec2("route table", one.routeTableId(), one.tags()));
    }

    private static Stream<Thing> vpcs(Session session) {
        return session.ec2().describeVpcsPaginator(_ -> {}).vpcs().stream()
                .filter(one -> !Boolean.TRUE.equals(one.isDefault()))
                .map(one -> ec2("vpc", one.vpcId(), one.tags()));
    }

    private static Stream<Thing> volumes(Session session) {
        return session.ec2().describeVolumesPaginator(_ -> {}).volumes().stream()
                .map(one -> ec2("volume", one.volumeId(), one.tags()));
    }

    private static Stream<Thing> snapshots(Session session) {
        return session.ec2().describeSnapshotsPaginator(list -> list.ownerIds("self")).snapshots().stream()
                .map(one -> ec2("snapshot", one.snapshotId(), one.tags()));
    }

    private static Stream<Thing> images(Session session) {
        return session.ec2().describeImagesPaginator(list -> list.owners("self")).images().stream()
                .map(one -> ec2("image", one.imageId(), one.tags()));
    }

    private static Stream<Thing> keyPairs(Session session) {
        return session.ec2().describeKeyPairs().keyPairs().stream()
                .map(one -> ec2("key pair", one.keyPairId(), one.tags()));
    }

    private static Stream<Thing> launchTemplates(Session session) {
        return session.ec2().describeLaunchTemplatesPaginator(_ -> {}).launchTemplates().stream()
                .map(one -> ec2("launch template", one.launchTemplateId(), one.tags()));
    }

    private static Stream<Thing> repositories(Session session) {
        return session.ecr().describeRepositoriesPaginator(_ -> {}).repositories().stream()
                .map(one -> new Thing("ecr repository", one.repositoryName()));
    }

    private static Map<String, String> repositoryTags(Session session, Thing one) {
        Map<String, String> tags = new HashMap<>();
        for (var found : session.ecr()
                .describeRepositories(describe -> describe.repositoryNames(one.name()))
                .repositories()) {
            session.ecr()
                    .listTagsForResource(list -> list.resourceArn(found.repositoryArn()))
                    .tags()
                    .forEach(tag -> tags.put(tag.key(), tag.value()));
        }
        return tags;
    }

    private static Stream<Thing> logGroups(Session session) {
        return session.logs().describeLogGroupsPaginator(_ -> {}).logGroups().stream()
                .map(one -> new Thing("log group", one.logGroupName(), withoutStar(one.arn()), "", Map.of()));
    }

    private static String withoutStar(String arn) {
        return arn.endsWith(":*") ? arn.substring(0, arn.length() - 2) : arn;
    }

    private static Map<String, String> logGroupTags(Session session, Thing one) {
        return session.logs()
                .listTagsForResource(list -> list.resourceArn(one.key()))
                .tags();
    }

    private static Stream<Thing> tables(Session session) {
        return session.tables().listTablesPaginator().tableNames().stream()
                .map(name -> new Thing("dynamodb table", name));
    }

    private static void deleteTable(Session session, Thing one) {
        boolean guarded = Boolean.TRUE.equals(session.tables()
                .describeTable(describe -> describe.tableName(one.name()))
                .table()
                .deletionProtectionEnabled());
        if (guarded) {
            session.tables().updateTable(update -> update.tableName(one.name()).deletionProtectionEnabled(false));
        }
        session.tables().deleteTable(delete -> delete.tableName(one.name()));
    }

    private static Stream<Thing> queues(Session session) {
        return session.queues().listQueuesPaginator(_ -> {}).queueUrls().stream()
                .map(url -> new Thing("sqs queue", url.substring(url.lastIndexOf('/') + 1), url, "", Map.of()));
    }

    private static Stream<Thing> parameters(Session session) {
        return session.ssm().describeParametersPaginator(_ -> {}).stream()
                .flatMap(page -> page.parameters().stream())
                .map(one -> new Thing("ssm parameter", one.name()));
    }

    private static Stream<Thing> secrets(Session session) {
        return session.secrets().listSecretsPaginator(_ -> {}).stream()
                .flatMap(page -> page.secretList().stream())
                .filter(one -> one.owningService() == null)
                .map(one -> {
                    Map<String, String> tags = new HashMap<>();
                    one.tags().forEach(tag -> tags.put(tag.key(), tag.value()));
                    return new Thing("secret", one.name(), one.arn(), "", tags);
                });
    }

    private static Stream<Thing> aliases(Session session) {
        return session.kms().listAliasesPaginator(_ -> {}).aliases().stream()
                .map(one -> new Thing(
                        "kms alias", one.aliasName(), one.aliasName(), String.valueOf(one.targetKeyId()), Map.of()));
    }

    /** Those that wait for their deletion can be used by nobody. */
    private static Stream<Thing> keys(Session session) {
        return session.kms().listKeysPaginator(_ -> {}).keys().stream()
                .map(KeyListEntry::keyId)
                .map(id -> session.kms()
                        .describeKey(describe -> describe.keyId(id))
                        .keyMetadata())
                .filter(key -> key.keyManager() == KeyManagerType.CUSTOMER && !isGoing(key))
                .map(key -> new Thing("kms key", key.keyId()));
    }

    private static boolean isGoing(KeyMetadata key) {
        return key.keyState() == KeyState.PENDING_DELETION || key.keyState() == KeyState.PENDING_REPLICA_DELETION;
    }

    private static Stream<Thing> instanceProfiles(Session session) {
        return session.iam().listInstanceProfilesPaginator(_ -> {}).instanceProfiles().stream()
                .map(one -> new Thing("instance profile", one.instanceProfileName()));
    }

    private static void deleteInstanceProfile(Session session, Thing one) {
        session.iam()
                .getInstanceProfile(get -> get.instanceProfileName(one.name()))
                .instanceProfile()
                .roles()
                .forEach(role -> session.iam()
                        .removeRoleFromInstanceProfile(
                                remove -> remove.instanceProfileName(one.name()).roleName(role.roleName())));
        session.iam().deleteInstanceProfile(delete -> delete.instanceProfileName(one.name()));
    }
}
