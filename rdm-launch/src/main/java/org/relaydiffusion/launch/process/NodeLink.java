// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.process;

import java.time.Duration;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.RdmException;

/**
 * Connects the launchers of several nodes over the c10d store served by node 0's launcher. One
 * thread accesses the store: it joins the others ({@link NodeJoin}), then sends this launcher's
 * messages and polls for news.
 *
 * <p>News are read in the opposite order to that in which a launcher writes them: a reader that
 * sees that a node has left also sees that its ranks have ended, why they failed, and who requested
 * the stop.
 */
final class NodeLink implements OtherNodes {
  private static final long LOOK_MILLIS = 250;
  private static final long BEAT_NANOS = Duration.ofSeconds(1).toNanos();

  /** How long node 0 keeps the store open for nodes that have not read everything. */
  private static final Duration FAREWELL = Duration.ofSeconds(2);

  private final Nodes nodes;
  private final NodeJoin join;
  private final Consumer<Event> events;
  private final Duration silence;
  private final BlockingQueue<Consumer<NodeStore>> toSay = new LinkedBlockingQueue<>();
  private final Thread thread;
  private volatile boolean closed;

  // The following fields are confined to the thread.
  private int attempt;
  private long seen = -1;
  private int seenEnded;
  private @Nullable Failure seenFailure;
  private Event.@Nullable Stop seenStop;
  private boolean seenLeft;
  private boolean joined;

  private NodeLink(Nodes nodes, NodeJoin join, Duration silence, Consumer<Event> events) {
    this.nodes = nodes;
    this.join = join;
    this.silence = silence;
    this.events = events;
    this.thread = Thread.ofPlatform().daemon().name("rdm-nodes").unstarted(this::run);
  }

  /**
   * Starts joining the others, in the background.
   *
   * @param nodes the number of nodes, and the index of this one
   * @param join joins the launchers
   * @param silence a node that shows no sign of life for this long is lost
   * @param events receives {@link Event.Joined} or {@link Event.NotJoined}, and then the others'
   *     news
   */
  static NodeLink start(Nodes nodes, NodeJoin join, Duration silence, Consumer<Event> events) {
    NodeLink link = new NodeLink(nodes, join, silence, events);
    link.thread.start();
    return link;
  }

  private void run() {
    try (NodeStore store = join.join()) {
      joined = true;
      events.accept(new Event.Joined(join.runId()));
      NodeWatch watch = new NodeWatch(nodes, silence);
      long lastBeat = System.nanoTime() - BEAT_NANOS;
      while (!closed) {
        say(store, toSay.poll(LOOK_MILLIS, TimeUnit.MILLISECONDS));
        long now = System.nanoTime();
        if (now - lastBeat >= BEAT_NANOS) {
          lastBeat = now;
          store.beat(nodes.index());
          if (nodes.isFirst()) {
            watch.look(store, now).ifPresent(node -> lost(store, node));
          }
        }
        look(store);
      }
      leave(store);
    } catch (InterruptedException e) {
      // Closed before the others had joined.
    } catch (RuntimeException | Error e) {
      // In any case, report the loss: without this thread, nobody else would notice that the other
      // nodes cannot be reached.
      if (!closed) {
        events.accept(joined ? new Event.Lost("node 0") : new Event.NotJoined(known(e)));
      }
    }
  }

  private static RdmException known(Throwable e) {
    return e instanceof RdmException known
        ? known
        : new RdmException("lost the connection to the other nodes: " + e, e);
  }

  private static void say(NodeStore store, @Nullable Consumer<NodeStore> what) {
    if (what != null) {
      what.accept(store);
    }
  }

  private void lost(NodeStore store, int node) {
    String who = "node " + node;
    store.fail(attempt, Failure.lost(who));
    events.accept(new Event.Lost(who));
  }

  private void look(NodeStore store) {
    long newest = store.newest();
    if (newest == seen) {
      return;
    }
    seen = newest;
    boolean left = store.left() > 0;
    int ended = store.ended(attempt);
    Failure failure = store.failure(attempt).orElse(null);
    Event.Stop stop = store.stop().orElse(null);
    if (stop != null && seenStop == null) {
      seenStop = stop;
      events.accept(stop);
    }
    if (failure != null && seenFailure == null) {
      seenFailure = failure;
      events.accept(new Event.FailedElsewhere(attempt, failure));
    }
    if (ended != seenEnded) {
      seenEnded = ended;
      events.accept(new Event.NodesEnded(attempt, ended));
    }
    if (left && !seenLeft) {
      seenLeft = true;
      events.accept(new Event.Lost("another node"));
    }
  }

  private void leave(NodeStore store) throws InterruptedException {
    for (Consumer<NodeStore> what = toSay.poll(); what != null; what = toSay.poll()) {
      what.accept(store);
    }
    store.leave();
    long end = System.nanoTime() + FAREWELL.toNanos();
    while (nodes.isFirst() && store.left() < nodes.count() && System.nanoTime() - end < 0) {
      Thread.sleep(LOOK_MILLIS / 5);
    }
  }

  @Override
  public void begin(int number) {
    toSay.add(_ -> {
      attempt = number;
      seen = -1;
      seenEnded = 0;
      seenFailure = null;
    });
  }

  @Override
  public void failed(int number, Failure failure) {
    toSay.add(store -> store.fail(number, failure));
  }

  @Override
  public void ended(int number) {
    toSay.add(store -> store.end(number));
  }

  @Override
  public void stop(Event.Stop stop) {
    toSay.add(store -> store.stop(stop));
  }

  @Override
  public void close() {
    closed = true;
    if (!joined) {
      thread.interrupt();
    }
    toSay.add(_ -> {}); // Wakes the thread.
    try {
      thread.join(FAREWELL.plusMillis(2 * LOOK_MILLIS));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
