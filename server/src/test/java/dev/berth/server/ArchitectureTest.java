package dev.berth.server;

import static com.tngtech.archunit.core.domain.JavaCall.Predicates.target;
import static com.tngtech.archunit.core.domain.properties.HasName.Predicates.name;
import static com.tngtech.archunit.core.domain.properties.HasOwner.Predicates.With.owner;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.Architectures.layeredArchitecture;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.Test;

/** Holds the arrows between modules and packages: who may import whom. */
class ArchitectureTest {

    private static final JavaClasses BERTH = new ClassFileImporter()
            .withImportOption(new ImportOption.DoNotIncludeTests())
            .importPackages("dev.berth");

    @Test
    void packagesOfTheServerImportEachOtherAlongTheArrowsOnly() {
        layeredArchitecture()
                .consideringOnlyDependenciesInAnyPackage("dev.berth.server..")
                .withOptionalLayers(true)
                .layer("app")
                .definedBy("dev.berth.server.app..")
                .layer("http")
                .definedBy("dev.berth.server.http..")
                .layer("web")
                .definedBy("dev.berth.server.web..")
                .layer("auth")
                .definedBy("dev.berth.server.auth..")
                .layer("forecast")
                .definedBy("dev.berth.server.forecast..")
                .layer("config")
                .definedBy("dev.berth.server.config..")
                .layer("upkeep")
                .definedBy("dev.berth.server.upkeep..")
                .layer("ledger")
                .definedBy("dev.berth.server.ledger..")
                .layer("store")
                .definedBy("dev.berth.server.store..")
                .whereLayer("app")
                .mayNotBeAccessedByAnyLayer()
                .whereLayer("web")
                .mayOnlyBeAccessedByLayers("app")
                .whereLayer("http")
                .mayOnlyBeAccessedByLayers("app", "web")
                .whereLayer("auth")
                .mayOnlyBeAccessedByLayers("app", "web", "http", "forecast")
                .whereLayer("forecast")
                .mayOnlyBeAccessedByLayers("app")
                .whereLayer("upkeep")
                .mayOnlyBeAccessedByLayers("app")
                .whereLayer("config")
                .mayOnlyBeAccessedByLayers("app", "web", "http", "upkeep")
                .whereLayer("ledger")
                .mayOnlyBeAccessedByLayers("app", "web", "http", "auth", "config", "upkeep", "forecast")
                .whereLayer("store")
                .mayOnlyBeAccessedByLayers("app", "auth", "config", "upkeep", "ledger", "forecast")
                .check(BERTH);
    }

    @Test
    void packagesOfTheServerFormNoCycle() {
        slices().matching("dev.berth.server.(*)..").should().beFreeOfCycles().check(BERTH);
    }

    @Test
    void storeAndHttpDoNotImportProviders() {
        noClasses()
                .that()
                .resideInAnyPackage("dev.berth.server.store..", "dev.berth.server.http..")
                .should()
                .dependOnClassesThat()
                .resideInAPackage("dev.berth.providers..")
                .check(BERTH);
    }

    @Test
    void databaseDriversAreTheStoresOwn() {
        noClasses()
                .that()
                .resideInAPackage("dev.berth..")
                .and()
                .resideOutsideOfPackage("dev.berth.server.store..")
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage("org.sqlite..", "org.postgresql..", "com.zaxxer..", "org.flywaydb..")
                .check(BERTH);
    }

    @Test
    void coreImportsTheJdkOnly() {
        classes()
                .that()
                .resideInAPackage("dev.berth.core..")
                .should()
                .onlyDependOnClassesThat()
                .resideInAnyPackage(
                        "dev.berth.core..",
                        "java.lang..",
                        "java.math",
                        "java.nio.charset",
                        "java.security",
                        "java.text",
                        "java.time..",
                        "java.util..",
                        "org.jspecify.annotations")
                .check(BERTH);
    }

    @Test
    void coreTakesTimeAndRandomnessFromItsCallers() {
        noClasses()
                .that()
                .resideInAPackage("dev.berth.core..")
                .should()
                .callMethodWhere(target(owner(JavaClass.Predicates.resideInAPackage("java.time..")))
                        .and(target(name("now"))))
                .orShould()
                .callMethodWhere(target(name("randomUUID")))
                .orShould()
                .callMethod(Math.class, "random")
                .orShould()
                .callMethod(RandomGenerator.class, "getDefault")
                .orShould()
                .dependOnClassesThat()
                .haveNameMatching("java\\.lang\\.(System|Thread)|java\\.time\\.Clock|java\\.(util|security)\\..*Random")
                .check(BERTH);
    }

    @Test
    void providersDoNotImportTheServer() {
        noClasses()
                .that()
                .resideInAPackage("dev.berth.providers..")
                .should()
                .dependOnClassesThat()
                .resideInAPackage("dev.berth.server..")
                .check(BERTH);
    }
}
