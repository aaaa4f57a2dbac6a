// The Android library. It has no sources of its own: those of the JVM artifact, and what UniFFI generates.

plugins {
    id("com.android.library") version "8.13.0"
    id("org.jetbrains.kotlin.android") version "2.4.21"
    id("maven-publish")
}

group = "dev.polyspan"
version = "0.1.0"

val generated = providers.gradleProperty("polyspan.generated").orElse("../../../target/kotlin/generated")

android {
    namespace = "dev.polyspan"
    compileSdk = 36

    defaultConfig {
        // The first that knows `MethodHandles.byteArrayViewVarHandle`, which no desugaring brings to older ones.
        minSdk = 33
        consumerProguardFiles("consumer-rules.pro")
        ndk { abiFilters += listOf("arm64-v8a", "armeabi-v7a", "x86_64") }
    }

    compileOptions {
        sourceCompatibility = JavaVersion.VERSION_17
        targetCompatibility = JavaVersion.VERSION_17
    }

    sourceSets["main"].apply {
        java.srcDirs("../../kotlin/src/main/java")
        kotlin.srcDirs("../../kotlin/src/main/kotlin", generated)
        resources.srcDirs("../../kotlin/src/main/resources")
    }

    publishing { singleVariant("release") { withSourcesJar() } }
}

// Android has no client of `java.net.http`: what needs it is in that package, alone.
tasks.withType<org.jetbrains.kotlin.gradle.tasks.KotlinCompile>().configureEach {
    exclude("dev/polyspan/http/**")
}
tasks.withType<JavaCompile>().configureEach {
    exclude("dev/polyspan/http/**")
}

dependencies {
    api("org.jetbrains.kotlinx:kotlinx-coroutines-android:1.11.0")
    // The packaging with Android's own build of JNA's library.
    implementation("net.java.dev.jna:jna:5.19.1@aar")
    compileOnly("io.opentelemetry:opentelemetry-api:1.67.0")
    compileOnly("io.opentelemetry:opentelemetry-sdk-trace:1.67.0")
    compileOnly("com.squareup.okhttp3:okhttp:5.5.1")
}

publishing {
    publications {
        register<MavenPublication>("release") {
            artifactId = "polyspan-android"
            afterEvaluate { from(components["release"]) }
        }
    }
}
