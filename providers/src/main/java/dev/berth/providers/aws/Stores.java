package dev.berth.providers.aws;

import static dev.berth.providers.aws.Sweeper.regional;

import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import software.amazon.awssdk.services.kms.model.KeyListEntry;
import software.amazon.awssdk.services.kms.model.KeyManagerType;
import software.amazon.awssdk.services.kms.model.KeyMetadata;
import software.amazon.awssdk.services.kms.model.KeyState;
import software.amazon.awssdk.services.rds.RdsClient;
import software.amazon.awssdk.services.rds.model.DBCluster;
import software.amazon.awssdk.services.rds.model.DBInstance;
import software.amazon.awssdk.services.rds.model.Tag;
import software.amazon.awssdk.services.ssm.model.ResourceTypeForTagging;

/** What keeps data, and the keys of it. */
final class Stores {
    private static final String INSTANCE = "rds instance";
    private static final String CLUSTER = "rds cluster";
    private static final String SNAPSHOT = "rds snapshot";
    private static final String CLUSTER_SNAPSHOT = "rds cluster snapshot";
    private static final String SUBNETS = "rds subnet group";
    private static final String PARAMETERS = "rds parameter group";
    /** Snapshots that a person or a stack made: others go with what they are of. */
    private static final String MANUAL = "manual";

    private static final String DEFAULT = "default.";
    private static final int KEY_DAYS = 7;

    private Stores() {}

    /** Rows of the {@link Catalogue}. */
    static final List<Sweeper> SWEEPERS = List.of(
            regional(INSTANCE, Stores::instances, Stores::deleteInstance),
            regional(CLUSTER, Stores::clusters, Stores::deleteCluster),
            regional(
                    SNAPSHOT,
                    Stores::snapshots,
                    (session, one) ->
                            session.rds().deleteDBSnapshot(delete -> delete.dbSnapshotIdentifier(one.name()))),
            regional(
                    CLUSTER_SNAPSHOT,
                    Stores::clusterSnapshots,
                    (session, one) -> session.rds()
                            .deleteDBClusterSnapshot(delete -> delete.dbClusterSnapshotIdentifier(one.name()))),
            regional(
                    SUBNETS,
                    Stores::subnetGroups,
                    (session, one) -> session.rds().deleteDBSubnetGroup(delete -> delete.dbSubnetGroupName(one.name())),
                    Stores::rdsTags),
            regional(
                    PARAMETERS,
                    Stores::parameterGroups,
                    (session, one) ->
                            session.rds().deleteDBParameterGroup(delete -> delete.dbParameterGroupName(one.name())),
                    Stores::rdsTags),
            Buckets.SWEEPER,
            regional(
                    "ecr repository",
                    Stores::repositories,
                    (session, one) -> session.ecr()
                            .deleteRepository(
                                    delete -> delete.repositoryName(one.name()).force(true)),
                    (session, one) -> Thing.tags(
                            session.ecr()
                                    .listTagsForResource(list -> list.resourceArn(one.key()))
                                    .tags(),
                            tag -> tag.key(),
                            tag -> tag.value())),
            regional(
                    "log group",
                    Stores::logGroups,
                    (session, one) -> session.logs().deleteLogGroup(delete -> delete.logGroupName(one.name())),
                    (session, one) -> session.logs()
                            .listTagsForResource(list -> list.resourceArn(one.key()))
                            .tags()),
            regional("dynamodb table", Stores::tables, Stores::deleteTable, Stores::tableTags),
            regional(
                    "sqs queue",
                    Stores::queues,
                    (session, one) -> session.queues().deleteQueue(delete -> delete.queueUrl(one.key())),
                    (session, one) -> session.queues()
                            .listQueueTags(list -> list.queueUrl(one.key()))
                            .tags()),
            regional(
                    "ssm parameter",
                    Stores::parameters,
                    (session, one) -> session.ssm().deleteParameter(delete -> delete.name(one.name())),
                    (session, one) -> Thing.tags(
                            session.ssm()
                                    .listTagsForResource(list -> list.resourceType(ResourceTypeForTagging.PARAMETER)
                                            .resourceId(one.name()))
                                    .tagList(),
                            tag -> tag.key(),
                            tag -> tag.value())),
            regional(
                    "secret",
                    Stores::secrets,
                    (session, one) -> session.secrets()
                            .deleteSecret(delete -> delete.secretId(one.key()).forceDeleteWithoutRecovery(true))),
            regional(
                    "kms alias",
                    Stores::aliases,
                    (session, one) -> session.kms().deleteAlias(delete -> delete.aliasName(one.name()))),
            regional(
                    "kms key",
                    Stores::keys,
                    (session, one) -> session.kms()
                            .scheduleKeyDeletion(
                                    delete -> delete.keyId(one.key()).pendingWindowInDays(KEY_DAYS)),
                    (session, one) -> Thing.tags(
                            session.kms()
                                    .listResourceTags(list -> list.keyId(one.key()))
                                    .tags(),
                            tag -> tag.tagKey(),
                            tag -> tag.tagValue())));

    private static Stream<Thing> instances(Session session) {
        return session.rds().describeDBInstancesPaginator(_ -> {}).dbInstances().stream()
                .map(one -> rds(INSTANCE, one.dbInstanceIdentifier(), one.dbInstanceArn(), one.tagList()));
    }

    private static Thing rds(String type, String name, String arn, List<Tag> tags) {
        return new Thing(type, name, arn, "", Thing.tags(tags, Tag::key, Tag::value));
    }

    private static void deleteInstance(Session session, Thing one) {
        RdsClient rds = session.rds();
        boolean guarded =
                rds.describeDBInstances(describe -> describe.dbInstanceIdentifier(one.name())).dbInstances().stream()
                        .anyMatch(DBInstance::deletionProtection);
        if (guarded) {
            rds.modifyDBInstance(modify -> modify.dbInstanceIdentifier(one.name())
                    .deletionProtection(false)
                    .applyImmediately(true));
        }
        rds.deleteDBInstance(delete -> delete.dbInstanceIdentifier(one.name()).skipFinalSnapshot(true));
    }

    private static Stream<Thing> clusters(Session session) {
        return session.rds().describeDBClustersPaginator(_ -> {}).dbClusters().stream()
                .map(one -> rds(CLUSTER, one.dbClusterIdentifier(), one.dbClusterArn(), one.tagList()));
    }

    private static void deleteCluster(Session session, Thing one) {
        RdsClient rds = session.rds();
        boolean guarded =
                rds.describeDBClusters(describe -> describe.dbClusterIdentifier(one.name())).dbClusters().stream()
                        .anyMatch(DBCluster::deletionProtection);
        if (guarded) {
            rds.modifyDBCluster(modify -> modify.dbClusterIdentifier(one.name())
                    .deletionProtection(false)
                    .applyImmediately(true));
        }
        rds.deleteDBCluster(delete -> delete.dbClusterIdentifier(one.name()).skipFinalSnapshot(true));
    }

    private static Stream<Thing> snapshots(Session session) {
        return session.rds().describeDBSnapshotsPaginator(list -> list.snapshotType(MANUAL)).dbSnapshots().stream()
                .map(one -> rds(SNAPSHOT, one.dbSnapshotIdentifier(), one.dbSnapshotArn(), one.tagList()));
    }

    private static Stream<Thing> clusterSnapshots(Session session) {
        return session
                .rds()
                .describeDBClusterSnapshotsPaginator(list -> list.snapshotType(MANUAL))
                .dbClusterSnapshots()
                .stream()
                .map(one -> rds(
                        CLUSTER_SNAPSHOT,
                        one.dbClusterSnapshotIdentifier(),
                        one.dbClusterSnapshotArn(),
                        one.tagList()));
    }

    private static Stream<Thing> subnetGroups(Session session) {
        return session.rds().describeDBSubnetGroupsPaginator(_ -> {}).dbSubnetGroups().stream()
                .map(one -> new Thing(SUBNETS, one.dbSubnetGroupName(), one.dbSubnetGroupArn()));
    }

    /** But those that AWS makes for each kind of database. */
    private static Stream<Thing> parameterGroups(Session session) {
        return session.rds().describeDBParameterGroupsPaginator(_ -> {}).dbParameterGroups().stream()
                .filter(one -> !one.dbParameterGroupName().startsWith(DEFAULT))
                .map(one -> new Thing(PARAMETERS, one.dbParameterGroupName(), one.dbParameterGroupArn()));
    }

    private static Map<String, String> rdsTags(Session session, Thing one) {
        return Thing.tags(
                session.rds()
                        .listTagsForResource(list -> list.resourceName(one.key()))
                        .tagList(),
                Tag::key,
                Tag::value);
    }

    private static Stream<Thing> repositories(Session session) {
        return session.ecr().describeRepositoriesPaginator(_ -> {}).repositories().stream()
                .map(one -> new Thing("ecr repository", one.repositoryName(), one.repositoryArn()));
    }

    private static Stream<Thing> logGroups(Session session) {
        return session.logs().describeLogGroupsPaginator(_ -> {}).logGroups().stream()
                .map(one -> new Thing("log group", one.logGroupName(), withoutStar(one.arn())));
    }

    private static String withoutStar(String arn) {
        return arn.endsWith(":*") ? arn.substring(0, arn.length() - 2) : arn;
    }

    private static Map<String, String> tableTags(Session session, Thing one) {
        String arn = session.tables()
                .describeTable(describe -> describe.tableName(one.name()))
                .table()
                .tableArn();
        return Thing.tags(
                session.tables()
                        .listTagsOfResource(list -> list.resourceArn(arn))
                        .tags(),
                tag -> tag.key(),
                tag -> tag.value());
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
                .map(url -> new Thing("sqs queue", url.substring(url.lastIndexOf('/') + 1), url));
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
                .map(one -> new Thing(
                        "secret",
                        one.name(),
                        one.arn(),
                        "",
                        Thing.tags(one.tags(), tag -> tag.key(), tag -> tag.value())));
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
}
