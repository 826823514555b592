// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.process;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ThreadLocalRandom;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.RdmException;
import org.relaydiffusion.launch.rank.Endpoint;
import org.relaydiffusion.torch.TorchException;

/** Joins the launchers of several nodes. Interrupting the thread cancels it. */
final class NodeJoin {
  private static final long LOOK_MILLIS = 200;
  private static final long BEAT_LOOKS = 5;

  private final Nodes nodes;
  private final Endpoint at;
  private final Optional<String> givenRunId;
  private final Duration patience;
  private final Duration silence;
  private final Screen screen;
  private final String token = HexFormat.of().toHexDigits(ThreadLocalRandom.current().nextLong());
  private volatile String runId;

  /**
   * Creates the join of this node.
   *
   * @param plan of this node
   * @param newRunId the name given to the run by node 0 if none was specified
   * @param patience the timeout for the others
   * @param silence the launcher of a node that shows no sign of life for this long is replaced
   * @param screen receives messages about missing nodes
   */
  NodeJoin(LaunchPlan plan, String newRunId, Duration patience, Duration silence, Screen screen) {
    this.nodes = plan.nodes();
    this.at = plan.master().orElseThrow();
    this.givenRunId = plan.runId();
    this.runId = plan.runId().orElse(newRunId);
    this.patience = patience;
    this.silence = silence;
    this.screen = screen;
  }

  /** Returns the name of the run, once all have joined. */
  String runId() {
    return runId;
  }

  /**
   * Waits until all launchers have joined.
   *
   * @return the store, which the caller closes
   * @throws RdmException if they do not join in time, or their options do not match
   */
  NodeStore join() throws InterruptedException {
    long deadline = System.nanoTime() + patience.toNanos();
    return nodes.isFirst() ? gather(deadline) : find(deadline);
  }

  private NodeStore gather(long deadline) throws InterruptedException {
    NodeStore store = serve();
    try {
      store.setRun(new NodeStore.Run(runId, nodes.count(), nodes.processes()));
      String said = "";
      for (String missing = missing(store); !missing.isEmpty(); missing = missing(store)) {
        if (!missing.equals(said)) {
          said = missing;
          screen.say("waiting at %s for %s".formatted(at, missing));
        }
        if (System.nanoTime() - deadline >= 0) {
          throw new RdmException(
              "%s did not join at %s within %s s".formatted(missing, at, patience.toSeconds()));
        }
        Thread.sleep(LOOK_MILLIS);
      }
      store.setComplete();
      return store;
    } catch (RdmException | InterruptedException e) {
      store.close();
      throw e;
    }
  }

  private NodeStore serve() {
    try {
      return NodeStore.serve(at.port());
    } catch (TorchException e) {
      throw new RdmException(
          "cannot listen on port %s (--master_port): %s".formatted(at.port(), e.getMessage()), e);
    }
  }

  private String missing(NodeStore store) {
    List<Integer> missing = new ArrayList<>();
    for (int node = 1; node < nodes.count(); node++) {
      if (store.holder(node).isEmpty()) {
        missing.add(node);
      }
    }
    return missing.isEmpty()
        ? ""
        : (missing.size() == 1 ? "node " : "nodes ")
            + missing.stream().map(String::valueOf).collect(Collectors.joining(", "));
  }

  /** Tries until node 0 is available, which may be started later or restarted. */
  private NodeStore find(long deadline) throws InterruptedException {
    screen.say("joining node 0 at " + at);
    while (true) {
      NodeStore store = null;
      try {
        store = NodeStore.connect(at);
        enter(store, deadline);
        return store;
      } catch (TorchException e) {
        if (Thread.currentThread().isInterrupted()) {
          leave(store);
          throw new InterruptedException();
        }
        close(store);
        if (System.nanoTime() - deadline >= 0) {
          throw new RdmException(
              "cannot connect to node 0 at %s within %s s: %s"
                  .formatted(at, patience.toSeconds(), e.getMessage()),
              e);
        }
        pause();
      } catch (RdmException | InterruptedException e) {
        leave(store);
        throw e;
      }
    }
  }

  private void enter(NodeStore store, long deadline) throws InterruptedException {
    NodeStore.Run run = awaitRun(store, deadline);
    check(run);
    if (store.isComplete()) {
      throw new RdmException("the run at %s has already begun".formatted(at));
    }
    takePlace(store, deadline);
    runId = run.id();
    for (int look = 0; !store.isComplete(); look++) {
      if (look % BEAT_LOOKS == 0) {
        store.beat(nodes.index());
      }
      goOn(deadline, "not all nodes joined at " + at);
    }
  }

  private NodeStore.Run awaitRun(NodeStore store, long deadline) throws InterruptedException {
    while (true) {
      Optional<NodeStore.Run> run = store.run();
      if (run.isPresent()) {
        return run.get();
      }
      goOn(deadline, "the store at %s is not that of an rdm launch".formatted(at));
    }
  }

  /** Rejects a node whose options do not match those of node 0. */
  private void check(NodeStore.Run run) {
    differ("--nnodes", run.nodes(), nodes.count());
    differ("--nproc_per_node", run.processes(), nodes.processes());
    givenRunId.ifPresent(id -> differ("--rdzv_id", run.id(), id));
  }

  private static void differ(String option, Object first, Object own) {
    if (!first.equals(own)) {
      throw new RdmException(
          "node 0 has %s=%s, but this node has %s; they must be equal"
              .formatted(option, first, own));
    }
  }

  private void takePlace(NodeStore store, long deadline) throws InterruptedException {
    int node = nodes.index();
    String other = "";
    while (!store.take(node, other, token)) {
      other = store.holder(node);
      // A launcher that was killed before the run began has left its registration.
      long beats = store.beats(node);
      long end = System.nanoTime() + silence.toNanos();
      while (System.nanoTime() - end < 0 && !other.isEmpty()) {
        if (store.beats(node) != beats) {
          throw new RdmException(
              "a node with --node_rank=%s has already joined at %s".formatted(node, at));
        }
        goOn(deadline, "another launcher has joined as node %s at %s".formatted(node, at));
        other = store.holder(node).equals(other) ? other : "";
      }
    }
  }

  private void goOn(long deadline, String reason) throws InterruptedException {
    if (System.nanoTime() - deadline >= 0) {
      throw new RdmException("%s within %s s".formatted(reason, patience.toSeconds()));
    }
    pause();
  }

  private static void pause() throws InterruptedException {
    Thread.sleep(LOOK_MILLIS);
  }

  /** Releases the registration of this node for another launcher. */
  private void leave(@Nullable NodeStore store) {
    if (store != null) {
      Thread.interrupted();
      try {
        store.take(nodes.index(), token, "");
      } catch (RdmException e) {
        // The store has been closed, and with it the registration.
      }
      store.close();
    }
  }

  private static void close(@Nullable NodeStore store) {
    if (store != null) {
      store.close();
    }
  }
}
