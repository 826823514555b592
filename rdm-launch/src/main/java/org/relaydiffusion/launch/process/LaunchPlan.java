package org.relaydiffusion.launch.process;

import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.relaydiffusion.launch.rank.Endpoint;

/**
 * What {@code rdm launch} is asked to do on this node.
 *
 * @param nodes how many processes on how many nodes
 * @param master where node 0's launcher serves the store; empty where this is the only node
 * @param runId what this run is called, if somebody has said so; else node 0 makes a name
 * @param maxRestarts how often all ranks are started again after one has failed
 * @param patience how long ranks that are asked to stop may take to finish their step and save
 * @param output where what ranks print goes
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
      throw new IllegalArgumentException("several nodes need a place to meet");
    }
  }
}
