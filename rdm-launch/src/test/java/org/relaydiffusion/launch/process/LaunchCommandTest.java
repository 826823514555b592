// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.process;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.relaydiffusion.launch.RdmRun;

/** What the launcher says before it starts anything. */
class LaunchCommandTest {
  private static RdmRun launch(String options) {
    List<String> line = new ArrayList<>(List.of("launch"));
    line.addAll(List.of(options.split(" ")));
    return RdmRun.of(line.toArray(String[]::new));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "--nproc_per_node=0 demo | --nproc_per_node must be a number, auto, cpu or gpu from 1 to"
            + " 4096, but is '0'",
        "--nproc_per_node=two demo | --nproc_per_node must be a number, auto, cpu or gpu from 1 to"
            + " 4096, but is 'two'",
        "--nnodes=2 demo | --nnodes=2 requires --node_rank: the rank of this node, 0 to 1",
        "--nnodes=1:4 demo | --nnodes=1:4: the number of nodes cannot change during a run; give"
            + " one number",
        "--nnodes=2 --node_rank=2 demo | --node_rank must be 0 to 1 with --nnodes=2, but is 2",
        "--node_rank=1 demo | --node_rank must be 0 to 0 with --nnodes=1, but is 1",
        "--nnodes=2 --node_rank=0 demo | --nnodes=2 requires --master_addr (or --rdzv_endpoint),"
            + " the address of node 0",
        "--standalone --nnodes=2 --node_rank=0 demo | --standalone means this node only, but"
            + " --nnodes is 2",
        "--standalone --master_port=29500 demo | --standalone and --master_port are mutually"
            + " exclusive",
        "--standalone --rdzv_endpoint=a:1 demo | --standalone and --rdzv_endpoint are mutually"
            + " exclusive",
        "--rdzv_endpoint=a:1 --master_addr=b demo | --rdzv_endpoint and --master_addr or"
            + " --master_port are mutually exclusive",
        "--rdzv_endpoint=a:b:c demo | --rdzv_endpoint must be host:port, as in node0:29500 or"
            + " [fd00::1]:29500, but is 'a:b:c'",
        "--master_port=0 demo | --master_port must be a port from 1 to 65535, but is '0'",
        "--rdzv_backend=etcd demo | --rdzv_backend must be static or c10d, but is 'etcd'",
        "--max_restarts=-1 demo | --max_restarts must be at least 0, but is -1",
        "--monitor_interval=0 demo | --monitor_interval must be above 0, but is 0",
        "--stop_timeout=0 demo | --stop_timeout must be 1 to 86400, but is 0",
        "--tee=3 demo | --tee requires --log_dir",
        "--redirects=3 demo | --redirects requires --log_dir",
        "--standalone | no command to launch: give one after the options, as in 'rdm launch"
            + " generate ...'",
        "trian | unknown command 'trian'; 'rdm help' lists all commands",
        "launch demo | launch cannot launch itself"
      })
  void aMistakeIsOneLine(String options, String message) {
    RdmRun run = launch(options);

    assertThat(run.code()).isEqualTo(2);
    assertThat(run.err().lines())
        .containsExactly("rdm: " + message, "rdm: see 'rdm launch --help'");
  }

  @Test
  void anUnknownOptionBeforeTheCommandIsTheLaunchers() {
    RdmRun run = launch("--nproc=2 demo");

    assertThat(run.code()).isEqualTo(2);
    assertThat(run.error()).startsWith("rdm: Unknown option: '--nproc=2'");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "--nproc-per-node=2 --standalone generate-imagenet --help",
        "--nproc_per_node 2 generate_imagenet -h"
      })
  void helpOfTheCommandNeedsNoRanksAndUnderscoresAreReadAlike(String options) {
    RdmRun run = launch(options);

    assertThat(run.code()).as(run.err()).isZero();
    assertThat(run.out()).startsWith("Usage: rdm generate_imagenet");
  }
}
