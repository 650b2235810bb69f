package dev.berth.providers.aws;

import java.util.List;
import software.amazon.awssdk.services.ecr.EcrClient;
import software.amazon.awssdk.services.ecr.model.ImageIdentifier;
import software.amazon.awssdk.services.ecr.model.ListImagesResponse;
import software.amazon.awssdk.services.ecr.model.RepositoryNotFoundException;

/** Repositories of container images, which a stack deletes only when they are empty. */
final class Repositories {
    /** What one call takes. */
    private static final int BATCH = 100;

    private Repositories() {}

    /** Deletes all images. A repository that is not there is empty. */
    static void empty(Session session, String repository) {
        EcrClient ecr = session.ecr();
        try {
            for (ListImagesResponse page : ecr.listImagesPaginator(
                    list -> list.repositoryName(repository).maxResults(BATCH))) {
                List<ImageIdentifier> images = page.imageIds();
                if (!images.isEmpty()) {
                    ecr.batchDeleteImage(
                            delete -> delete.repositoryName(repository).imageIds(images));
                }
            }
        } catch (RepositoryNotFoundException e) {
            // It is what was wanted.
        }
    }
}
