// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.process;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.time.Duration;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.relaydiffusion.Printable;
import org.relaydiffusion.launch.rank.Endpoint;
import org.relaydiffusion.torch.distributed.Store;
import org.relaydiffusion.torch.distributed.TcpStore;
import org.relaydiffusion.torch.distributed.WaitListener;

/**
 * The launchers' keys in the store served by node 0's launcher. No call waits for a value. All text
 * from the store is bounded and sanitized, since anyone who can reach the port can write to it.
 *
 * <p>After each write, the counter {@code news} is incremented, so that polling for news takes one
 * call.
 */
final class NodeStore implements AutoCloseable {
  /** The timeout of one of many attempts to connect, and of a call. */
  private static final Duration ANSWER = Duration.ofSeconds(2);

  private static final int LONGEST_TEXT = 4000;
  private static final byte[] NOTHING = {};

  private static final Pattern RUN = Pattern.compile("(\\d{1,9}) (\\d{1,9}) (.{1,200})");
  private static final Pattern FAILURE = Pattern.compile("(\\d{1,3}) (true|false) (.+)");
  private static final Pattern STOP = Pattern.compile("(\\d{1,3}) (.+)");

  private final Store store;

  private NodeStore(Store store) {
    this.store = store;
  }

  /** Serves the store, on node 0. */
  static NodeStore serve(int port) {
    return of(TcpStore.serve(port, ANSWER));
  }

  /** Connects to node 0. */
  static NodeStore connect(Endpoint at) {
    return of(TcpStore.connect(at.address(), at.port(), ANSWER, WaitListener.NONE));
  }

  private static NodeStore of(TcpStore whole) {
    try (whole) {
      return new NodeStore(whole.withPrefix("rdm/launch"));
    }
  }

  /**
   * The description of the run published by node 0.
   *
   * @param id of the run
   * @param nodes number of nodes
   * @param processes number of processes on each node
   */
  record Run(String id, int nodes, int processes) {}

  void setRun(Run run) {
    set("run", "%s %s %s".formatted(run.nodes(), run.processes(), run.id()));
  }

  /**
   * Returns the run; empty until node 0 has published it, or if the store is not that of a launch.
   */
  Optional<Run> run() {
    return match("run", RUN)
        .map(m -> new Run(m.group(3), Integer.parseInt(m.group(1)), Integer.parseInt(m.group(2))));
  }

  /** Returns the token of the launcher registered for a node, or an empty text. */
  String holder(int node) {
    return text("node/" + node).orElse("");
  }

  /**
   * Changes the registration of a node from {@code from} to {@code to}, if it is {@code from}.
   *
   * @return whether it is {@code to} now
   */
  boolean take(int node, String from, String to) {
    byte[] now = store.compareSet("node/" + node, from.getBytes(UTF_8), to.getBytes(UTF_8));
    return new String(now, UTF_8).equals(to);
  }

  /** Publishes that all nodes have joined and the ranks may start. */
  void setComplete() {
    set("complete", "yes");
  }

  boolean isComplete() {
    return store.has("complete");
  }

  /** Publishes a sign of life of a node's launcher. */
  void beat(int node) {
    store.add("beat/" + node, 1);
  }

  /** Returns a counter that grows as long as a node's launcher is alive. */
  long beats(int node) {
    return store.add("beat/" + node, 0);
  }

  /** Publishes the reason why an attempt failed, unless another node already has. */
  void fail(int attempt, Failure failure) {
    store.compareSet(
        "failure/" + attempt,
        NOTHING,
        cut("%s %s %s".formatted(failure.exitCode(), failure.isFinal(), failure.what()))
            .getBytes(UTF_8));
    news();
  }

  Optional<Failure> failure(int attempt) {
    return match("failure/" + attempt, FAILURE)
        .map(m ->
            new Failure(
                m.group(3), Integer.parseInt(m.group(1)), Boolean.parseBoolean(m.group(2))));
  }

  /** Publishes that a node has no rank left in an attempt. */
  void end(int attempt) {
    store.add("ended/" + attempt, 1);
    news();
  }

  /** Returns the number of nodes without ranks. */
  int ended(int attempt) {
    return (int) store.add("ended/" + attempt, 0);
  }

  /** Asks all launchers to stop, unless one already has. */
  void stop(Event.Stop stop) {
    store.compareSet(
        "stop", NOTHING, cut("%s %s".formatted(stop.exitCode(), stop.why())).getBytes(UTF_8));
    news();
  }

  Optional<Event.Stop> stop() {
    return match("stop", STOP).map(m -> new Event.Stop(m.group(2), Integer.parseInt(m.group(1))));
  }

  /** Publishes that a launcher has ended its run. */
  void leave() {
    store.add("left", 1);
    news();
  }

  /** Returns the number of launchers that have ended their run. */
  int left() {
    return (int) store.add("left", 0);
  }

  /** Returns a counter that changes with every write. */
  long newest() {
    return store.add("news", 0);
  }

  private void news() {
    store.add("news", 1);
  }

  private void set(String key, String text) {
    store.set(key, cut(text).getBytes(UTF_8));
  }

  private static String cut(String text) {
    return text.substring(0, Math.min(text.length(), LONGEST_TEXT));
  }

  private Optional<Matcher> match(String key, Pattern pattern) {
    return text(key).map(pattern::matcher).filter(Matcher::matches);
  }

  private Optional<String> text(String key) {
    if (!store.has(key)) {
      return Optional.empty();
    }
    byte[] value = store.get(key);
    String whole = new String(value, 0, Math.min(value.length, LONGEST_TEXT), UTF_8);
    return Optional.of(Printable.of(whole, LONGEST_TEXT));
  }

  @Override
  public void close() {
    store.close();
  }
}
