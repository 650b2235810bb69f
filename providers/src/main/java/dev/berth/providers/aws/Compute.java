package dev.berth.providers.aws;

import static dev.berth.providers.aws.Network.ec2;
import static dev.berth.providers.aws.Sweeper.regional;

import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import software.amazon.awssdk.services.ec2.model.InstanceStateName;
import software.amazon.awssdk.services.ecs.EcsClient;
import software.amazon.awssdk.services.ecs.model.Tag;
import software.amazon.awssdk.services.ecs.model.TaskDefinitionStatus;
import software.amazon.awssdk.services.lambda.model.EventSourceMappingConfiguration;

/** What runs, and what makes it run: functions, containers and instances, with their disks and images. */
final class Compute {
    private static final String FUNCTION = "lambda function";
    private static final String GROUP = "auto scaling group";
    private static final String SERVICE = "ecs service";
    private static final String INACTIVE = "INACTIVE";
    private static final int SERVICES_AT_ONCE = 10;
    private static final Set<InstanceStateName> GONE = Set.of(InstanceStateName.TERMINATED);

    private Compute() {}

    /** Rows of the {@link Catalogue}. */
    static final List<Sweeper> SWEEPERS = List.of(
            regional(
                    "event source mapping",
                    Compute::eventSources,
                    (session, one) -> session.lambda().deleteEventSourceMapping(delete -> delete.uuid(one.key()))),
            regional(
                    FUNCTION,
                    Compute::functions,
                    (session, one) -> session.lambda().deleteFunction(delete -> delete.functionName(one.name())),
                    (session, one) -> session.lambda()
                            .listTags(list -> list.resource(one.key()))
                            .tags()),
            regional("lambda layer", Compute::layers, Compute::deleteLayer),
            regional(
                    GROUP,
                    Compute::groups,
                    (session, one) -> session.autoScaling()
                            .deleteAutoScalingGroup(delete ->
                                    delete.autoScalingGroupName(one.name()).forceDelete(true))),
            regional(
                    "launch configuration",
                    Compute::launchConfigurations,
                    (session, one) -> session.autoScaling()
                            .deleteLaunchConfiguration(delete -> delete.launchConfigurationName(one.name()))),
            regional(SERVICE, Compute::services, Compute::deleteService, Compute::ecsTags),
            regional("ecs cluster", Compute::clusters, Compute::deleteCluster, Compute::ecsTags),
            regional(
                    "ecs task definition",
                    Compute::taskDefinitions,
                    (session, one) ->
                            session.ecs().deregisterTaskDefinition(deregister -> deregister.taskDefinition(one.key())),
                    Compute::ecsTags),
            regional(
                    "ec2 instance",
                    Compute::instances,
                    (session, one) -> session.ec2().terminateInstances(terminate -> terminate.instanceIds(one.key()))),
            regional(
                    "launch template",
                    Compute::launchTemplates,
                    (session, one) -> session.ec2().deleteLaunchTemplate(delete -> delete.launchTemplateId(one.key()))),
            regional(
                    "image",
                    Compute::images,
                    (session, one) -> session.ec2().deregisterImage(delete -> delete.imageId(one.key()))),
            regional(
                    "snapshot",
                    Compute::snapshots,
                    (session, one) -> session.ec2().deleteSnapshot(delete -> delete.snapshotId(one.key()))),
            regional(
                    "volume",
                    Compute::volumes,
                    (session, one) -> session.ec2().deleteVolume(delete -> delete.volumeId(one.key()))),
            regional(
                    "key pair",
                    Compute::keyPairs,
                    (session, one) -> session.ec2().deleteKeyPair(delete -> delete.keyName(one.name()))));

    private static Stream<Thing> eventSources(Session session) {
        return session.lambda().listEventSourceMappingsPaginator(_ -> {}).eventSourceMappings().stream()
                .map(EventSourceMappingConfiguration::uuid)
                .map(id -> new Thing("event source mapping", id));
    }

    private static Stream<Thing> functions(Session session) {
        return session.lambda().listFunctionsPaginator(_ -> {}).functions().stream()
                .map(one -> new Thing(FUNCTION, one.functionName(), one.functionArn()));
    }

    /** Each version is one. */
    private static Stream<Thing> layers(Session session) {
        return session.lambda().listLayersPaginator(_ -> {}).layers().stream()
                .flatMap(layer ->
                        session
                                .lambda()
                                .listLayerVersionsPaginator(list -> list.layerName(layer.layerName()))
                                .layerVersions()
                                .stream()
                                .map(version -> new Thing(
                                        "lambda layer",
                                        layer.layerName() + ":" + version.version(),
                                        version.layerVersionArn())));
    }

    private static void deleteLayer(Session session, Thing one) {
        int colon = one.name().lastIndexOf(':');
        session.lambda()
                .deleteLayerVersion(delete -> delete.layerName(one.name().substring(0, colon))
                        .versionNumber(Long.parseLong(one.name().substring(colon + 1))));
    }

    private static Stream<Thing> groups(Session session) {
        return session.autoScaling().describeAutoScalingGroupsPaginator(_ -> {}).autoScalingGroups().stream()
                .map(one -> new Thing(
                        GROUP,
                        one.autoScalingGroupName(),
                        one.autoScalingGroupARN(),
                        "",
                        Thing.tags(one.tags(), tag -> tag.key(), tag -> tag.value())));
    }

    private static Stream<Thing> launchConfigurations(Session session) {
        return session.autoScaling().describeLaunchConfigurationsPaginator(_ -> {}).launchConfigurations().stream()
                .map(one ->
                        new Thing("launch configuration", one.launchConfigurationName(), one.launchConfigurationARN()));
    }

    /** One that is deleted is listed for a while all the same. */
    private static Stream<Thing> clusters(Session session) {
        EcsClient ecs = session.ecs();
        return ecs.listClustersPaginator(_ -> {}).stream()
                .filter(page -> !page.clusterArns().isEmpty())
                .flatMap(page ->
                        ecs.describeClusters(describe -> describe.clusters(page.clusterArns())).clusters().stream())
                .filter(cluster -> !INACTIVE.equals(cluster.status()))
                .map(cluster -> new Thing("ecs cluster", cluster.clusterName(), cluster.clusterArn()));
    }

    /** One that is deleted is listed for a while all the same. */
    private static Stream<Thing> services(Session session) {
        EcsClient ecs = session.ecs();
        return clusters(session)
                .flatMap(cluster ->
                        ecs
                                .listServicesPaginator(
                                        list -> list.cluster(cluster.key()).maxResults(SERVICES_AT_ONCE))
                                .stream()
                                .filter(page -> !page.serviceArns().isEmpty())
                                .flatMap(page -> ecs
                                        .describeServices(describe ->
                                                describe.cluster(cluster.key()).services(page.serviceArns()))
                                        .services()
                                        .stream())
                                .filter(service -> !INACTIVE.equals(service.status()))
                                .map(service -> new Thing(
                                        SERVICE, cluster.name() + "/" + service.serviceName(), service.serviceArn())));
    }

    private static void deleteService(Session session, Thing one) {
        int slash = one.name().indexOf('/');
        session.ecs()
                .deleteService(delete -> delete.cluster(one.name().substring(0, slash))
                        .service(one.key())
                        .force(true));
    }

    /** Tasks that no service runs keep it from being deleted. */
    private static void deleteCluster(Session session, Thing one) {
        EcsClient ecs = session.ecs();
        ecs.listTasksPaginator(list -> list.cluster(one.key())).taskArns().stream()
                .forEach(task -> ecs.stopTask(stop -> stop.cluster(one.key()).task(task)));
        ecs.deleteCluster(delete -> delete.cluster(one.key()));
    }

    /** One that is not active can be run by nobody: as good as gone. */
    private static Stream<Thing> taskDefinitions(Session session) {
        return session
                .ecs()
                .listTaskDefinitionsPaginator(list -> list.status(TaskDefinitionStatus.ACTIVE))
                .taskDefinitionArns()
                .stream()
                .map(arn -> new Thing("ecs task definition", afterSlash(arn), arn));
    }

    private static Map<String, String> ecsTags(Session session, Thing one) {
        return Thing.tags(
                session.ecs()
                        .listTagsForResource(list -> list.resourceArn(one.key()))
                        .tags(),
                Tag::key,
                Tag::value);
    }

    private static String afterSlash(String arn) {
        return arn.substring(arn.lastIndexOf('/') + 1);
    }

    private static Stream<Thing> instances(Session session) {
        return session.ec2().describeInstancesPaginator(_ -> {}).reservations().stream()
                .flatMap(reservation -> reservation.instances().stream())
                .filter(one -> !GONE.contains(one.state().name()))
                .map(one -> ec2("ec2 instance", one.instanceId(), one.tags()));
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
                .map(one -> new Thing(
                        "key pair",
                        one.keyName(),
                        one.keyPairId(),
                        "",
                        Thing.tags(one.tags(), tag -> tag.key(), tag -> tag.value())));
    }

    private static Stream<Thing> launchTemplates(Session session) {
        return session.ec2().describeLaunchTemplatesPaginator(_ -> {}).launchTemplates().stream()
                .map(one -> ec2("launch template", one.launchTemplateId(), one.tags()));
    }
}
