// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.process;

import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.relaydiffusion.launch.rank.Endpoint;

/**
 * The task of {@code rdm launch} on this node.
 *
 * @param nodes the numbers of processes and nodes
 * @param master the address at which node 0's launcher serves the store; empty if this is the only
 *     node
 * @param runId the name of the run, if given; otherwise node 0 generates one
 * @param maxRestarts how many times all ranks are restarted after one has failed
 * @param patience the timeout for ranks to finish their step and save when they are asked to stop
 * @param output the destination of the ranks' output
 * @param command the rdm command line that every rank runs
 */
public record LaunchPlan(
    Nodes nodes,
    Optional<Endpoint> master,
    Optional<String> runId,
    int maxRestarts,
    Duration patience,
    OutputPlan output,
    List<String> command) {
  /** Copies {@code command}. */
  public LaunchPlan {
    command = List.copyOf(command);
    if (!nodes.isAlone() && master.isEmpty()) {
      throw new IllegalArgumentException("several nodes require a master address");
    }
  }
}
