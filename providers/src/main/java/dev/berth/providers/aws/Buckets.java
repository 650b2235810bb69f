package dev.berth.providers.aws;

import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import software.amazon.awssdk.services.s3.S3Client;
import software.amazon.awssdk.services.s3.model.Bucket;
import software.amazon.awssdk.services.s3.model.ListObjectVersionsResponse;
import software.amazon.awssdk.services.s3.model.NoSuchBucketException;
import software.amazon.awssdk.services.s3.model.ObjectIdentifier;
import software.amazon.awssdk.services.s3.model.S3Error;
import software.amazon.awssdk.services.s3.model.S3Exception;
import software.amazon.awssdk.services.s3.model.Tag;

/** Buckets, which can be deleted only when nothing at all is in them. */
final class Buckets {
    static final String TYPE = "s3 bucket";

    private static final String NO_BUCKET = "NoSuchBucket";
    /** What no location means. */
    private static final String FIRST_REGION = "us-east-1";
    /** And what one that is older than regions means. */
    private static final Map<String, String> OLD_NAMES = Map.of("EU", "eu-west-1");

    private Buckets() {}

    static final Sweeper SWEEPER = Sweeper.regional(TYPE, Buckets::list, Buckets::delete, Buckets::tags);

    private static Stream<Thing> list(Session session) {
        return session.s3().listBucketsPaginator(_ -> {}).buckets().stream()
                .filter(bucket -> session.region().equals(region(session.s3(), bucket)))
                .map(bucket -> new Thing(TYPE, bucket.name()));
    }

    /** A bucket that went away between two calls has none. */
    private static String region(S3Client s3, Bucket bucket) {
        if (bucket.bucketRegion() != null) {
            return bucket.bucketRegion();
        }
        try {
            String location =
                    s3.getBucketLocation(get -> get.bucket(bucket.name())).locationConstraintAsString();
            return location == null || location.isEmpty() ? FIRST_REGION : OLD_NAMES.getOrDefault(location, location);
        } catch (S3Exception e) {
            if (Faults.code(e).equals(NO_BUCKET)) {
                return "";
            }
            throw e;
        }
    }

    private static Map<String, String> tags(Session session, Thing bucket) {
        try {
            return Thing.tags(
                    session.s3()
                            .getBucketTagging(get -> get.bucket(bucket.name()))
                            .tagSet(),
                    Tag::key,
                    Tag::value);
        } catch (S3Exception e) {
            if (!Faults.code(e).equals("NoSuchTagSet") && !Faults.code(e).equals(NO_BUCKET)) {
                throw e;
            }
            return Map.of();
        }
    }

    private static void delete(Session session, Thing bucket) {
        try {
            empty(session, bucket.name());
            session.s3().deleteBucket(delete -> delete.bucket(bucket.name()));
        } catch (NoSuchBucketException e) {
            // It is what was wanted.
        }
    }

    /**
     * Deletes all versions, all delete markers and all that was uploaded in part. A bucket that is not there is empty.
     *
     * @throws NotDeletedException where something cannot be deleted: it is under legal hold, say
     */
    static void empty(Session session, String bucket) {
        S3Client s3 = session.s3();
        try {
            dropPolicy(s3, bucket);
            for (ListObjectVersionsResponse page : s3.listObjectVersionsPaginator(list -> list.bucket(bucket))) {
                List<ObjectIdentifier> all = Stream.concat(
                                page.versions().stream().map(one -> identifier(one.key(), one.versionId())),
                                page.deleteMarkers().stream().map(one -> identifier(one.key(), one.versionId())))
                        .toList();
                delete(s3, bucket, all);
            }
            s3.listMultipartUploadsPaginator(list -> list.bucket(bucket)).uploads().stream()
                    .forEach(upload -> s3.abortMultipartUpload(
                            abort -> abort.bucket(bucket).key(upload.key()).uploadId(upload.uploadId())));
        } catch (S3Exception e) {
            if (!Faults.code(e).equals(NO_BUCKET)) {
                throw e;
            }
        }
    }

    /** It may forbid what follows. Where it cannot be dropped, what follows may work all the same. */
    private static void dropPolicy(S3Client s3, String bucket) {
        try {
            s3.deleteBucketPolicy(delete -> delete.bucket(bucket));
        } catch (S3Exception e) {
            if (!Faults.denied(e)) {
                throw e;
            }
        }
    }

    private static ObjectIdentifier identifier(String key, String version) {
        return ObjectIdentifier.builder().key(key).versionId(version).build();
    }

    private static void delete(S3Client s3, String bucket, List<ObjectIdentifier> objects) {
        if (objects.isEmpty()) {
            return;
        }
        List<S3Error> errors = s3.deleteObjects(delete -> delete.bucket(bucket)
                        .bypassGovernanceRetention(true)
                        .delete(which -> which.objects(objects).quiet(true)))
                .errors();
        if (!errors.isEmpty()) {
            S3Error first = errors.getFirst();
            throw new NotDeletedException("%d objects of bucket %s cannot be deleted: %s: %s"
                    .formatted(errors.size(), bucket, first.code(), first.message()));
        }
    }

    /** Something in a bucket stays. */
    static final class NotDeletedException extends RuntimeException {
        private static final long serialVersionUID = 1L;

        NotDeletedException(String message) {
            super(message, null, false, false);
        }
    }
}
