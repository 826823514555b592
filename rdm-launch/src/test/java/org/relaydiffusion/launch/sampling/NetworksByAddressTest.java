// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.sampling;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.relaydiffusion.launch.RdmRun;
import org.relaydiffusion.launch.command.ExitCode;
import org.relaydiffusion.launch.download.FileServer;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Checkpoints that a command line gives by their address. */
class NetworksByAddressTest {
  @TempDir private Path folder;

  private RdmRun run(FileServer server, String outdir, String... more) {
    String[] networks = {
      "--seeds=0",
      "--network_first=" + server.url("/first.pkl"),
      "--network_second=" + server.url("/second.pt?signature=secret")
    };
    String[] all = new String[networks.length + more.length];
    System.arraycopy(networks, 0, all, 0, networks.length);
    System.arraycopy(more, 0, all, networks.length, more.length);
    return Relay.conditional(folder.resolve(outdir))
        .run(Map.of("RDM_CACHE", folder.resolve("cache").toString()), all);
  }

  private static FileServer serve() throws IOException {
    Relay relay = Relay.conditional(Path.of(""));
    return new FileServer()
        .file("/first.pkl", Files.readAllBytes(relay.first()))
        .file("/second.pt", Files.readAllBytes(relay.second()));
  }

  @Test
  void theyAreDownloadedOnceAndGiveTheSamePictures() throws IOException {
    try (FileServer server = serve()) {
      RdmRun first = run(server, "a");
      RdmRun second = run(server, "b", "--quiet");
      RdmRun local = Relay.conditional(folder.resolve("c")).run("--seeds=0");

      assertThat(first.code()).as(first.err()).isEqualTo(ExitCode.OK);
      assertThat(first.err()).contains("downloading " + server.url("/first.pkl") + " to ");
      assertThat(second.code()).as(second.err()).isEqualTo(ExitCode.OK);
      assertThat(second.err()).isEmpty();
      assertThat(local.code()).as(local.err()).isEqualTo(ExitCode.OK);
      assertThat(server.asked("/first.pkl")).isEqualTo(1);
      assertThat(server.asked("/second.pt")).isEqualTo(1);
      for (String outdir : new String[] {"b", "c"}) {
        assertThat(folder.resolve(outdir + "/000000/000000.png"))
            .hasSameBinaryContentAs(folder.resolve("a/000000/000000.png"));
      }
    }
  }

  @Test
  void theRecordNamesTheAddressWithoutItsSecretsAndTheNetworksSums() throws IOException {
    try (FileServer server = serve()) {
      assertThat(run(server, "a").code()).isEqualTo(ExitCode.OK);

      JsonNode options =
          new JsonMapper().readTree(Files.readString(folder.resolve("a/sampling_options.json")));
      assertThat(options.get("network_second").asString()).isEqualTo(server.url("/second.pt"));
      assertThat(options.get("network_second_sha256").asString()).hasSize(64);
      assertThat(options.get("device").asString()).isEqualTo("cpu");
      assertThat(options.get("dtype").asString()).isEqualTo("float32");
    }
  }

  @Test
  void anAddressWithNothingBehindItIsOneLine() throws IOException {
    try (FileServer server = new FileServer()) {
      RdmRun run = run(server, "a", "--quiet");

      assertThat(run.code()).isEqualTo(ExitCode.FAILURE);
      assertThat(run.err().lines())
          .containsExactly(
              "rdm: %s cannot be downloaded: the server responds with 404 (not found)"
                  .formatted(server.url("/first.pkl")));
      assertThat(run.out()).isEmpty();
    }
  }
}
