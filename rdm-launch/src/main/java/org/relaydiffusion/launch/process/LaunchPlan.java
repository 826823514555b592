package org.relaydiffusion.launch.process;

import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.relaydiffusion.launch.rank.Rendezvous;

/**
 * What {@code rdm launch} is asked to do on this machine.
 *
 * @param machines how many processes on how many machines
 * @param master where the ranks meet, on the first machine; empty for a free port of this one,
 *     which then is the only machine
 * @param runId what this run is called in the ranks' environment; equal on all machines
 * @param maxRestarts how often all ranks are started again after one has failed
 * @param patience how long ranks that are asked to stop may take to finish their step and save
 * @param output where what ranks print goes
 * @param command the rdm command line that every rank runs
 */
public record LaunchPlan(
    Machines machines,
    Optional<Rendezvous> master,
    String runId,
    int maxRestarts,
    Duration patience,
    OutputPlan output,
    List<String> command) {
  /** Copies {@code command}. */
  public LaunchPlan {
    command = List.copyOf(command);
  }
}
