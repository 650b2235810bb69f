package dev.berth.providers.aws;

import static dev.berth.providers.aws.Sweeper.shared;

import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.iam.IamClient;
import software.amazon.awssdk.services.iam.model.AttachedPolicy;
import software.amazon.awssdk.services.iam.model.EntityType;
import software.amazon.awssdk.services.iam.model.GroupDetail;
import software.amazon.awssdk.services.iam.model.ManagedPolicyDetail;
import software.amazon.awssdk.services.iam.model.NoSuchEntityException;
import software.amazon.awssdk.services.iam.model.PolicyDetail;
import software.amazon.awssdk.services.iam.model.RoleDetail;
import software.amazon.awssdk.services.iam.model.Tag;
import software.amazon.awssdk.services.iam.model.UserDetail;

/**
 * Who there is in an account and what they may do, all regions alike. The line of each has a digest of all that says who may become it
 * and what it may do, so that a right that was added to one that belongs there is found too.
 */
final class Iam {
    static final String ROLE = "iam role";
    static final String USER = "iam user";
    static final String GROUP = "iam group";
    static final String POLICY = "iam policy";

    private static final int DIGEST = 16;

    private Iam() {}

    /** Rows of the {@link Catalogue}. */
    static final List<Sweeper> SWEEPERS = List.of(
            shared("instance profile", Iam::instanceProfiles, Iam::deleteInstanceProfile),
            shared(ROLE, Iam::roles, Iam::deleteRole),
            shared(USER, Iam::users, Iam::deleteUser),
            shared(GROUP, Iam::groups, Iam::deleteGroup),
            shared(POLICY, Iam::policies, Iam::deletePolicy),
            shared("identity provider", Iam::providers, Iam::deleteProvider));

    static Stream<Thing> roles(Session session) {
        return session.iam().getAccountAuthorizationDetailsPaginator(get -> get.filter(EntityType.ROLE)).stream()
                .flatMap(page -> page.roleDetailList().stream())
                .map(role -> new Thing(
                        ROLE,
                        role.path() + role.roleName(),
                        role.roleName() + "/" + role.roleId(),
                        digest(role),
                        Thing.tags(role.tags(), Tag::key, Tag::value)));
    }

    private static String digest(RoleDetail role) {
        return digest(
                document(role.assumeRolePolicyDocument()),
                inline(role.rolePolicyList()),
                attached(role.attachedManagedPolicies()),
                role.permissionsBoundary() == null
                        ? ""
                        : String.valueOf(role.permissionsBoundary().permissionsBoundaryArn()));
    }

    /** A role that is lent, as it is now: the same whether or not account-wide things are looked at. */
    static Thing lent(Session session, String roleArn) {
        IamClient iam = session.iam();
        String name = Place.nameOf(roleArn);
        var role = iam.getRole(get -> get.roleName(name)).role();
        Map<String, String> inline = new TreeMap<>();
        iam.listRolePoliciesPaginator(list -> list.roleName(name)).policyNames().stream()
                .forEach(policy -> inline.put(
                        policy,
                        document(iam.getRolePolicy(get -> get.roleName(name).policyName(policy))
                                .policyDocument())));
        inline.entrySet().removeIf(policy -> Denials.isOne(policy.getKey(), policy.getValue()));
        return new Thing(
                Catalogue.LENT_ROLE,
                name,
                name + "/" + role.roleId(),
                digest(
                        document(role.assumeRolePolicyDocument()),
                        inline.toString(),
                        attached(
                                iam
                                        .listAttachedRolePoliciesPaginator(list -> list.roleName(name))
                                        .attachedPolicies()
                                        .stream()
                                        .toList()),
                        role.permissionsBoundary() == null
                                ? ""
                                : String.valueOf(role.permissionsBoundary().permissionsBoundaryArn())),
                Map.of());
    }

    static Stream<Thing> users(Session session) {
        IamClient iam = session.iam();
        return iam.getAccountAuthorizationDetailsPaginator(get -> get.filter(EntityType.USER)).stream()
                .flatMap(page -> page.userDetailList().stream())
                .map(user -> new Thing(
                        USER,
                        user.path() + user.userName(),
                        user.userName() + "/" + user.userId(),
                        digest(iam, user),
                        Thing.tags(user.tags(), Tag::key, Tag::value)));
    }

    private static String digest(IamClient iam, UserDetail user) {
        Map<String, String> keys = new TreeMap<>();
        iam.listAccessKeysPaginator(list -> list.userName(user.userName())).accessKeyMetadata().stream()
                .forEach(key -> keys.put(key.accessKeyId(), key.statusAsString()));
        return digest(
                inline(user.userPolicyList()),
                attached(user.attachedManagedPolicies()),
                user.groupList().stream().sorted().toList().toString(),
                keys.toString(),
                String.valueOf(hasPassword(iam, user.userName())));
    }

    private static boolean hasPassword(IamClient iam, String user) {
        try {
            iam.getLoginProfile(get -> get.userName(user));
            return true;
        } catch (NoSuchEntityException e) {
            return false;
        }
    }

    static Stream<Thing> groups(Session session) {
        return session.iam().getAccountAuthorizationDetailsPaginator(get -> get.filter(EntityType.GROUP)).stream()
                .flatMap(page -> page.groupDetailList().stream())
                .map(group -> new Thing(
                        GROUP,
                        group.path() + group.groupName(),
                        group.groupName() + "/" + group.groupId(),
                        digest(group),
                        Map.of()));
    }

    private static String digest(GroupDetail group) {
        return digest(inline(group.groupPolicyList()), attached(group.attachedManagedPolicies()));
    }

    static Stream<Thing> policies(Session session) {
        return session
                .iam()
                .getAccountAuthorizationDetailsPaginator(get -> get.filter(EntityType.LOCAL_MANAGED_POLICY))
                .stream()
                .flatMap(page -> page.policies().stream())
                .map(policy ->
                        new Thing(POLICY, policy.path() + policy.policyName(), policy.arn(), digest(policy), Map.of()));
    }

    private static String digest(ManagedPolicyDetail policy) {
        return digest(policy.policyVersionList().stream()
                .filter(version -> Boolean.TRUE.equals(version.isDefaultVersion()))
                .map(version -> document(version.document()))
                .toList()
                .toString());
    }

    static Stream<Thing> providers(Session session) {
        return Stream.concat(
                session.iam().listOpenIDConnectProviders().openIDConnectProviderList().stream()
                        .map(one -> new Thing(
                                "identity provider", one.arn(), one.arn(), openIdDigest(session, one.arn()), Map.of())),
                session.iam().listSAMLProviders().samlProviderList().stream()
                        .map(one -> new Thing(
                                "identity provider",
                                one.arn(),
                                one.arn(),
                                digest(String.valueOf(session.iam()
                                        .getSAMLProvider(get -> get.samlProviderArn(one.arn()))
                                        .samlMetadataDocument())),
                                Map.of())));
    }

    private static String openIdDigest(Session session, String arn) {
        var provider = session.iam().getOpenIDConnectProvider(get -> get.openIDConnectProviderArn(arn));
        return digest(
                String.valueOf(provider.url()),
                provider.clientIDList().stream().sorted().toList().toString(),
                provider.thumbprintList().stream().sorted().toList().toString());
    }

    static void deleteProvider(Session session, Thing one) {
        if (one.key().contains(":saml-provider/")) {
            session.iam().deleteSAMLProvider(delete -> delete.samlProviderArn(one.key()));
        } else {
            session.iam().deleteOpenIDConnectProvider(delete -> delete.openIDConnectProviderArn(one.key()));
        }
    }

    static void deleteRole(Session session, Thing one) {
        IamClient iam = session.iam();
        String name = nameOf(one);
        iam.listInstanceProfilesForRolePaginator(list -> list.roleName(name)).instanceProfiles().stream()
                .forEach(profile -> iam.removeRoleFromInstanceProfile(
                        remove -> remove.roleName(name).instanceProfileName(profile.instanceProfileName())));
        iam.listAttachedRolePoliciesPaginator(list -> list.roleName(name)).attachedPolicies().stream()
                .forEach(policy ->
                        iam.detachRolePolicy(detach -> detach.roleName(name).policyArn(policy.policyArn())));
        iam.listRolePoliciesPaginator(list -> list.roleName(name)).policyNames().stream()
                .forEach(policy ->
                        iam.deleteRolePolicy(delete -> delete.roleName(name).policyName(policy)));
        iam.deleteRole(delete -> delete.roleName(name));
    }

    static void deleteUser(Session session, Thing one) {
        IamClient iam = session.iam();
        String name = nameOf(one);
        iam.listAccessKeysPaginator(list -> list.userName(name)).accessKeyMetadata().stream()
                .forEach(key ->
                        iam.deleteAccessKey(delete -> delete.userName(name).accessKeyId(key.accessKeyId())));
        if (hasPassword(iam, name)) {
            iam.deleteLoginProfile(delete -> delete.userName(name));
        }
        iam.listMFADevicesPaginator(list -> list.userName(name)).mfaDevices().stream()
                .forEach(device -> iam.deactivateMFADevice(
                        deactivate -> deactivate.userName(name).serialNumber(device.serialNumber())));
        iam.listGroupsForUserPaginator(list -> list.userName(name)).groups().stream()
                .forEach(group ->
                        iam.removeUserFromGroup(remove -> remove.userName(name).groupName(group.groupName())));
        iam.listAttachedUserPoliciesPaginator(list -> list.userName(name)).attachedPolicies().stream()
                .forEach(policy ->
                        iam.detachUserPolicy(detach -> detach.userName(name).policyArn(policy.policyArn())));
        iam.listUserPoliciesPaginator(list -> list.userName(name)).policyNames().stream()
                .forEach(policy ->
                        iam.deleteUserPolicy(delete -> delete.userName(name).policyName(policy)));
        iam.deleteUser(delete -> delete.userName(name));
    }

    static void deleteGroup(Session session, Thing one) {
        IamClient iam = session.iam();
        String name = nameOf(one);
        iam.getGroupPaginator(get -> get.groupName(name)).users().stream()
                .forEach(user -> iam.removeUserFromGroup(
                        remove -> remove.userName(user.userName()).groupName(name)));
        iam.listAttachedGroupPoliciesPaginator(list -> list.groupName(name)).attachedPolicies().stream()
                .forEach(policy ->
                        iam.detachGroupPolicy(detach -> detach.groupName(name).policyArn(policy.policyArn())));
        iam.listGroupPoliciesPaginator(list -> list.groupName(name)).policyNames().stream()
                .forEach(policy ->
                        iam.deleteGroupPolicy(delete -> delete.groupName(name).policyName(policy)));
        iam.deleteGroup(delete -> delete.groupName(name));
    }

    static void deletePolicy(Session session, Thing one) {
        IamClient iam = session.iam();
        iam.listEntitiesForPolicyPaginator(list -> list.policyArn(one.key())).stream()
                .forEach(page -> {
                    page.policyRoles()
                            .forEach(role -> iam.detachRolePolicy(
                                    detach -> detach.roleName(role.roleName()).policyArn(one.key())));
                    page.policyUsers()
                            .forEach(user -> iam.detachUserPolicy(
                                    detach -> detach.userName(user.userName()).policyArn(one.key())));
                    page.policyGroups()
                            .forEach(group -> iam.detachGroupPolicy(detach ->
                                    detach.groupName(group.groupName()).policyArn(one.key())));
                });
        iam.listPolicyVersionsPaginator(list -> list.policyArn(one.key())).versions().stream()
                .filter(version -> !Boolean.TRUE.equals(version.isDefaultVersion()))
                .forEach(version -> iam.deletePolicyVersion(
                        delete -> delete.policyArn(one.key()).versionId(version.versionId())));
        iam.deletePolicy(delete -> delete.policyArn(one.key()));
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

    /** Of a thing whose key is its name and its unique id. */
    private static String nameOf(Thing one) {
        return one.key().substring(0, one.key().lastIndexOf('/'));
    }

    private static String inline(List<PolicyDetail> policies) {
        Map<String, String> byName = new TreeMap<>();
        policies.forEach(policy -> byName.put(policy.policyName(), document(policy.policyDocument())));
        byName.entrySet().removeIf(policy -> Denials.isOne(policy.getKey(), policy.getValue()));
        return byName.toString();
    }

    private static String attached(List<AttachedPolicy> policies) {
        return policies.stream()
                .map(AttachedPolicy::policyArn)
                .sorted()
                .toList()
                .toString();
    }

    /** IAM encodes documents like parts of a URL. */
    static String document(@Nullable String document) {
        if (document == null) {
            return "";
        }
        return document.startsWith("%") ? URLDecoder.decode(document, StandardCharsets.UTF_8) : document;
    }

    private static String digest(String... parts) {
        try {
            MessageDigest sha = MessageDigest.getInstance("SHA-256");
            for (String part : parts) {
                sha.update(part.getBytes(StandardCharsets.UTF_8));
                sha.update((byte) 0);
            }
            return HexFormat.of().formatHex(sha.digest()).substring(0, DIGEST);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }
}
