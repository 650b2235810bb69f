package dev.berth.providers.aws;

import static dev.berth.providers.aws.Sweeper.regional;

import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import software.amazon.awssdk.services.ec2.model.NetworkInterfaceStatus;
import software.amazon.awssdk.services.ec2.model.SecurityGroup;
import software.amazon.awssdk.services.ec2.model.Tag;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.LoadBalancerAttribute;

/** What connects: load balancers, and networks with all that is in them. */
final class Network {
    private static final String BALANCER = "load balancer";
    private static final String TARGETS = "target group";
    private static final String CLASSIC = "classic load balancer";
    private static final LoadBalancerAttribute UNGUARDED = LoadBalancerAttribute.builder()
            .key("deletion_protection.enabled")
            .value("false")
            .build();

    private Network() {}

    /** Rows of the {@link Catalogue}. */
    static final List<Sweeper> SWEEPERS = List.of(
            regional(BALANCER, Network::balancers, Network::deleteBalancer, Network::balancerTags),
            regional(
                    TARGETS,
                    Network::targetGroups,
                    (session, one) -> session.balancers().deleteTargetGroup(delete -> delete.targetGroupArn(one.key())),
                    Network::balancerTags),
            regional(
                    CLASSIC,
                    Network::classicBalancers,
                    (session, one) -> session.classicBalancers()
                            .deleteLoadBalancer(delete -> delete.loadBalancerName(one.name())),
                    Network::classicTags),
            regional(
                    "nat gateway",
                    Network::natGateways,
                    (session, one) -> session.ec2().deleteNatGateway(delete -> delete.natGatewayId(one.key()))),
            regional(
                    "vpc endpoint",
                    Network::vpcEndpoints,
                    (session, one) -> session.ec2().deleteVpcEndpoints(delete -> delete.vpcEndpointIds(one.key()))),
            regional("network interface", Network::networkInterfaces, Network::deleteNetworkInterface),
            regional("security group", Network::securityGroups, Network::deleteSecurityGroup),
            regional(
                    "elastic ip",
                    Network::addresses,
                    (session, one) -> session.ec2().releaseAddress(release -> release.allocationId(one.key()))),
            regional("internet gateway", Network::internetGateways, Network::deleteInternetGateway),
            regional(
                    "subnet",
                    Network::subnets,
                    (session, one) -> session.ec2().deleteSubnet(delete -> delete.subnetId(one.key()))),
            regional(
                    "route table",
                    Network::routeTables,
                    (session, one) -> session.ec2().deleteRouteTable(delete -> delete.routeTableId(one.key()))),
            regional(
                    "vpc",
                    Network::vpcs,
                    (session, one) -> session.ec2().deleteVpc(delete -> delete.vpcId(one.key()))));

    /** Names are not unique among the things of EC2, and most have none. */
    static Thing ec2(String type, String id, List<Tag> own) {
        Map<String, String> tags = Thing.tags(own, Tag::key, Tag::value);
        return new Thing(type, tags.getOrDefault("Name", id), id, "", tags);
    }

    private static Stream<Thing> balancers(Session session) {
        return session.balancers().describeLoadBalancersPaginator(_ -> {}).loadBalancers().stream()
                .map(one -> new Thing(BALANCER, one.loadBalancerName(), one.loadBalancerArn()));
    }

    /** Its listeners go with it. */
    private static void deleteBalancer(Session session, Thing one) {
        session.balancers()
                .modifyLoadBalancerAttributes(
                        modify -> modify.loadBalancerArn(one.key()).attributes(UNGUARDED));
        session.balancers().deleteLoadBalancer(delete -> delete.loadBalancerArn(one.key()));
    }

    private static Stream<Thing> targetGroups(Session session) {
        return session.balancers().describeTargetGroupsPaginator(_ -> {}).targetGroups().stream()
                .map(one -> new Thing(TARGETS, one.targetGroupName(), one.targetGroupArn()));
    }

    private static Map<String, String> balancerTags(Session session, Thing one) {
        return Thing.tags(
                session
                        .balancers()
                        .describeTags(describe -> describe.resourceArns(one.key()))
                        .tagDescriptions()
                        .stream()
                        .flatMap(found -> found.tags().stream())
                        .toList(),
                tag -> tag.key(),
                tag -> tag.value());
    }

    private static Stream<Thing> classicBalancers(Session session) {
        return session.classicBalancers().describeLoadBalancersPaginator(_ -> {}).loadBalancerDescriptions().stream()
                .map(one -> new Thing(CLASSIC, one.loadBalancerName()));
    }

    private static Map<String, String> classicTags(Session session, Thing one) {
        return Thing.tags(
                session
                        .classicBalancers()
                        .describeTags(describe -> describe.loadBalancerNames(one.name()))
                        .tagDescriptions()
                        .stream()
                        .flatMap(found -> found.tags().stream())
                        .toList(),
                tag -> tag.key(),
                tag -> tag.value());
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
}
