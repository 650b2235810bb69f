package dev.berth.providers.aws;

import static dev.berth.providers.aws.Sweeper.regional;
import static dev.berth.providers.aws.Sweeper.shared;

import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import software.amazon.awssdk.services.cloudwatch.model.AlarmType;
import software.amazon.awssdk.services.eventbridge.EventBridgeClient;
import software.amazon.awssdk.services.eventbridge.model.ListEventBusesResponse;
import software.amazon.awssdk.services.eventbridge.model.ListRulesResponse;
import software.amazon.awssdk.services.eventbridge.model.Target;
import software.amazon.awssdk.services.route53.Route53Client;
import software.amazon.awssdk.services.route53.model.Change;
import software.amazon.awssdk.services.route53.model.ChangeAction;
import software.amazon.awssdk.services.route53.model.HostedZone;
import software.amazon.awssdk.services.route53.model.RRType;
import software.amazon.awssdk.services.route53.model.TagResourceType;

/** What others are called, told and reached by: APIs, events, workflows, alarms, topics and names. */
final class Services {
    private static final String RULE = "eventbridge rule";
    private static final String BUS = "eventbridge bus";
    private static final String MACHINE = "state machine";
    private static final String ALARM = "cloudwatch alarm";
    private static final String DASHBOARD = "cloudwatch dashboard";
    private static final String TOPIC = "sns topic";
    private static final String ZONE = "hosted zone";
    private static final String DEFAULT_BUS = "default";
    private static final String ZONE_ID = "/hostedzone/";
    private static final Set<RRType> ITS_OWN = Set.of(RRType.NS, RRType.SOA);

    private Services() {}

    /** Rows of the {@link Catalogue}. */
    static final List<Sweeper> SWEEPERS = List.of(
            regional(
                    "rest api",
                    Services::restApis,
                    (session, one) -> session.restApis().deleteRestApi(delete -> delete.restApiId(one.key()))),
            regional(
                    "http api",
                    Services::httpApis,
                    (session, one) -> session.httpApis().deleteApi(delete -> delete.apiId(one.key()))),
            regional(RULE, Services::rules, Services::deleteRule, Services::eventTags),
            regional(
                    BUS,
                    Services::buses,
                    (session, one) -> session.events().deleteEventBus(delete -> delete.name(one.name())),
                    Services::eventTags),
            regional(
                    MACHINE,
                    Services::machines,
                    (session, one) ->
                            session.machines().deleteStateMachine(delete -> delete.stateMachineArn(one.key())),
                    (session, one) -> Thing.tags(
                            session.machines()
                                    .listTagsForResource(list -> list.resourceArn(one.key()))
                                    .tags(),
                            tag -> tag.key(),
                            tag -> tag.value())),
            regional(
                    ALARM,
                    Services::alarms,
                    (session, one) -> session.alarms().deleteAlarms(delete -> delete.alarmNames(one.name())),
                    (session, one) -> Thing.tags(
                            session.alarms()
                                    .listTagsForResource(list -> list.resourceARN(one.key()))
                                    .tags(),
                            tag -> tag.key(),
                            tag -> tag.value())),
            regional(
                    DASHBOARD,
                    Services::dashboards,
                    (session, one) -> session.alarms().deleteDashboards(delete -> delete.dashboardNames(one.name()))),
            regional(
                    TOPIC,
                    Services::topics,
                    (session, one) -> session.topics().deleteTopic(delete -> delete.topicArn(one.key())),
                    (session, one) -> Thing.tags(
                            session.topics()
                                    .listTagsForResource(list -> list.resourceArn(one.key()))
                                    .tags(),
                            tag -> tag.key(),
                            tag -> tag.value())),
            shared(ZONE, Services::zones, Services::deleteZone, Services::zoneTags));

    private static Stream<Thing> restApis(Session session) {
        return session.restApis().getRestApisPaginator(_ -> {}).items().stream()
                .map(one -> new Thing("rest api", one.name(), one.id(), "", one.tags()));
    }

    /** Those of web sockets are among them. */
    private static Stream<Thing> httpApis(Session session) {
        return Sweeper.pages(token -> session.httpApis().getApis(get -> get.nextToken(token)), page -> page.nextToken())
                .flatMap(page -> page.items().stream())
                .map(one -> new Thing("http api", one.name(), one.apiId(), "", one.tags()));
    }

    private static Stream<Thing> buses(Session session) {
        return Sweeper.pages(
                        token -> session.events().listEventBuses(list -> list.nextToken(token)),
                        ListEventBusesResponse::nextToken)
                .flatMap(page -> page.eventBuses().stream())
                .filter(bus -> !bus.name().equals(DEFAULT_BUS))
                .map(bus -> new Thing(BUS, bus.name(), bus.arn()));
    }

    /** But those that another service of AWS keeps for itself. */
    private static Stream<Thing> rules(Session session) {
        EventBridgeClient events = session.events();
        return Stream.concat(Stream.of(DEFAULT_BUS), buses(session).map(Thing::name))
                .flatMap(bus -> Sweeper.pages(
                        token -> events.listRules(list -> list.eventBusName(bus).nextToken(token)),
                        ListRulesResponse::nextToken))
                .flatMap(page -> page.rules().stream())
                .filter(rule -> rule.managedBy() == null)
                .map(rule -> new Thing(
                        RULE,
                        DEFAULT_BUS.equals(rule.eventBusName()) ? rule.name() : rule.eventBusName() + "|" + rule.name(),
                        rule.arn()));
    }

    private static void deleteRule(Session session, Thing one) {
        EventBridgeClient events = session.events();
        int bar = one.name().indexOf('|');
        String bus = bar < 0 ? DEFAULT_BUS : one.name().substring(0, bar);
        String rule = one.name().substring(bar + 1);
        List<String> targets = events
                .listTargetsByRule(list -> list.eventBusName(bus).rule(rule))
                .targets()
                .stream()
                .map(Target::id)
                .toList();
        if (!targets.isEmpty()) {
            events.removeTargets(remove -> remove.eventBusName(bus).rule(rule).ids(targets));
        }
        events.deleteRule(delete -> delete.eventBusName(bus).name(rule));
    }

    private static Map<String, String> eventTags(Session session, Thing one) {
        return Thing.tags(
                session.events()
                        .listTagsForResource(list -> list.resourceARN(one.key()))
                        .tags(),
                tag -> tag.key(),
                tag -> tag.value());
    }

    private static Stream<Thing> machines(Session session) {
        return session.machines().listStateMachinesPaginator(_ -> {}).stateMachines().stream()
                .map(one -> new Thing(MACHINE, one.name(), one.stateMachineArn()));
    }

    private static Stream<Thing> alarms(Session session) {
        return session
                .alarms()
                .describeAlarmsPaginator(list -> list.alarmTypes(AlarmType.COMPOSITE_ALARM, AlarmType.METRIC_ALARM))
                .stream()
                .flatMap(page -> Stream.concat(
                        page.compositeAlarms().stream().map(one -> new Thing(ALARM, one.alarmName(), one.alarmArn())),
                        page.metricAlarms().stream().map(one -> new Thing(ALARM, one.alarmName(), one.alarmArn()))));
    }

    private static Stream<Thing> dashboards(Session session) {
        return session.alarms().listDashboardsPaginator(_ -> {}).dashboardEntries().stream()
                .map(one -> new Thing(DASHBOARD, one.dashboardName()));
    }

    /** Subscriptions go with their topic. */
    private static Stream<Thing> topics(Session session) {
        return session.topics().listTopicsPaginator(_ -> {}).topics().stream()
                .map(one -> new Thing(
                        TOPIC, one.topicArn().substring(one.topicArn().lastIndexOf(':') + 1), one.topicArn()));
    }

    /** But those that another service of AWS keeps for itself. */
    private static Stream<Thing> zones(Session session) {
        return session.zones().listHostedZonesPaginator(_ -> {}).hostedZones().stream()
                .filter(zone -> zone.linkedService() == null)
                .map(zone -> new Thing(ZONE, nameOf(zone), idOf(zone)));
    }

    /** Names in lists end with a dot, which people do not write. */
    private static String nameOf(HostedZone zone) {
        return zone.name().endsWith(".") ? zone.name().substring(0, zone.name().length() - 1) : zone.name();
    }

    private static String idOf(HostedZone zone) {
        return zone.id().startsWith(ZONE_ID) ? zone.id().substring(ZONE_ID.length()) : zone.id();
    }

    /** Its own two records go with it, all others have to go before. */
    private static void deleteZone(Session session, Thing one) {
        Route53Client zones = session.zones();
        for (var page : zones.listResourceRecordSetsPaginator(list -> list.hostedZoneId(one.key()))) {
            List<Change> changes = page.resourceRecordSets().stream()
                    .filter(set -> !(set.name().equals(one.name() + ".") && ITS_OWN.contains(set.type())))
                    .map(set -> Change.builder()
                            .action(ChangeAction.DELETE)
                            .resourceRecordSet(set)
                            .build())
                    .toList();
            if (!changes.isEmpty()) {
                zones.changeResourceRecordSets(
                        change -> change.hostedZoneId(one.key()).changeBatch(batch -> batch.changes(changes)));
            }
        }
        zones.deleteHostedZone(delete -> delete.id(one.key()));
    }

    private static Map<String, String> zoneTags(Session session, Thing one) {
        return Thing.tags(
                session.zones()
                        .listTagsForResource(list ->
                                list.resourceType(TagResourceType.HOSTEDZONE).resourceId(one.key()))
                        .resourceTagSet()
                        .tags(),
                tag -> tag.key(),
                tag -> tag.value());
    }
}
