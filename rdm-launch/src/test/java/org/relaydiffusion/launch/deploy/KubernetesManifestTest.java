// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.deploy;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.relaydiffusion.launch.command.ExitCode;
import org.relaydiffusion.launch.command.StopExitCode;
import org.relaydiffusion.launch.rank.Endpoint;
import org.relaydiffusion.launch.rank.Rank;
import org.relaydiffusion.launch.rank.Rendezvous;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.Yaml;
import org.yaml.snakeyaml.constructor.SafeConstructor;

/** deploy/kubernetes/train-job.yaml: its parts fit one another and what a rank reads. */
class KubernetesManifestTest {
  private static final Path MANIFEST =
      Path.of(System.getProperty("rdm.fixtures"), "../../deploy/kubernetes/train-job.yaml")
          .normalize();

  private final List<Object> documents = new ArrayList<>();

  @BeforeEach
  void read() throws IOException {
    new Yaml(new SafeConstructor(new LoaderOptions()))
        .loadAll(Files.readString(MANIFEST))
        .forEach(documents::add);
  }

  private Object service() {
    return documents.get(0);
  }

  private Object job() {
    return documents.get(1);
  }

  private Object container() {
    return at(job(), "spec", "template", "spec", "containers", 0);
  }

  /** What lies at a path of keys and indices. */
  private static Object at(@Nullable Object from, Object... path) {
    Object here = from;
    for (Object step : path) {
      here =
          switch (here) {
            case Map<?, ?> map -> map.get(step);
            case List<?> list when step instanceof Integer index -> list.get(index);
            case null, default -> throw new AssertionError("nothing at " + List.of(path));
          };
    }
    return Objects.requireNonNull(here, () -> "nothing at " + List.of(path));
  }

  private static List<Object> list(Object from, Object... path) {
    return new ArrayList<>((List<?>) at(from, path));
  }

  /** The variables of a pod, with what Kubernetes adds. */
  private Map<String, String> pod(int index) {
    Map<String, String> variables = new HashMap<>();
    for (Object variable : (List<?>) at(container(), "env")) {
      variables.put((String) at(variable, "name"), (String) at(variable, "value"));
    }
    variables.put("JOB_COMPLETION_INDEX", Integer.toString(index));
    return variables;
  }

  @Test
  void aHeadlessServiceAndAnIndexedJob() {
    assertThat(documents).hasSize(2);
    assertThat(at(service(), "kind")).isEqualTo("Service");
    assertThat(at(service(), "spec", "clusterIP")).isEqualTo("None");
    assertThat(at(service(), "spec", "publishNotReadyAddresses")).isEqualTo(true);
    assertThat(at(service(), "spec", "selector", "batch.kubernetes.io/job-name"))
        .isEqualTo(at(job(), "metadata", "name"));
    assertThat(at(job(), "kind")).isEqualTo("Job");
    assertThat(at(job(), "spec", "completionMode")).isEqualTo("Indexed");
  }

  @Test
  void allPlacesSayTheSameNumberOfPods() {
    Object pods = at(job(), "spec", "completions");

    assertThat(pods).isEqualTo(at(job(), "spec", "parallelism"));
    assertThat(pod(0)).containsEntry("WORLD_SIZE", pods.toString());
  }

  @Test
  void aPodReadsItsRankAndWherePodZeroIs() {
    Rank rank = Rank.of(pod(1));

    assertThat(rank).isEqualTo(new Rank(1, 2, 0, 1, "Kubernetes"));
    // JOB-INDEX.SERVICE, where the service's name is the pods' subdomain.
    assertThat(at(job(), "spec", "template", "spec", "subdomain"))
        .isEqualTo(at(service(), "metadata", "name"));
    assertThat(Rendezvous.of(pod(1), rank))
        .isEqualTo(
            new Rendezvous.RankZero(
                new Endpoint(
                    "%s-0.%s"
                        .formatted(
                            at(job(), "metadata", "name"), at(service(), "metadata", "name")),
                    (Integer) at(service(), "spec", "ports", 0, "port"))));
  }

  @Test
  void aStoppedPodIsNeitherDoneNorAFailure() {
    int code = StopExitCode.of(pod(0));

    assertThat(code).isPositive();
    Object rule = at(job(), "spec", "podFailurePolicy", "rules", 1);
    assertThat(at(rule, "action")).isEqualTo("Ignore");
    assertThat(list(rule, "onExitCodes", "values")).contains(code);
    assertThat(at(rule, "onExitCodes", "containerName")).isEqualTo(at(container(), "name"));
    // What podFailurePolicy asks for.
    assertThat(at(job(), "spec", "template", "spec", "restartPolicy")).isEqualTo("Never");
  }

  /** All pods of a run end when one fails: only that one may count, or one error ends the job. */
  @Test
  void aPodThatDiesWithItsPeersDoesNotUseUpTheBackOff() {
    Object rule = at(job(), "spec", "podFailurePolicy", "rules", 1);

    assertThat(at(rule, "action")).isEqualTo("Ignore");
    assertThat(at(rule, "onExitCodes", "operator")).isEqualTo("In");
    List<Object> ignored = list(rule, "onExitCodes", "values");
    assertThat(ignored).contains(ExitCode.PEER_LOST);
    assertThat(ignored).doesNotContain(ExitCode.OK, ExitCode.FAILURE, ExitCode.USAGE);
    // In this order, because Kubernetes refuses another.
    assertThat(ignored.stream().map(Integer.class::cast).toList()).isSorted();
  }

  @Test
  void thePodComputesOnTheGpuThatItReserves() {
    assertThat(at(container(), "resources", "limits", "nvidia.com/gpu")).isEqualTo(1);
    assertThat(list(container(), "args")).startsWith("train").contains("--device=cuda");
  }

  @Test
  void everyVolumeThatIsMountedIsThere() {
    List<Object> volumes = new ArrayList<>();
    for (Object volume : (List<?>) at(job(), "spec", "template", "spec", "volumes")) {
      volumes.add(at(volume, "name"));
    }
    for (Object mount : (List<?>) at(container(), "volumeMounts")) {
      assertThat(volumes).contains(at(mount, "name"));
    }
  }
}
