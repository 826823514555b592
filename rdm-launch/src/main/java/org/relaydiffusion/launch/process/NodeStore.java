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
 * The launchers' keys in the store that node 0's launcher serves. No call waits for a value. All
 * text that comes from the store is bounded and fit to be printed: whoever reaches the store's port
 * can write it.
 *
 * <p>After each write the counter {@code news} grows, so that looking for news is one call.
 */
final class NodeStore implements AutoCloseable {
  /**
   * For one try to connect, of which there are many. A server that takes the connection and then
   * does not answer is given up 20 s later, as {@link Store} says.
   */
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
   * What node 0 was told about the run.
   *
   * @param id of the run
   * @param nodes how many there are
   * @param processes on each node
   */
  record Run(String id, int nodes, int processes) {}

  void setRun(Run run) {
    set("run", "%s %s %s".formatted(run.nodes(), run.processes(), run.id()));
  }

  /** Empty until node 0 has said it, and where the store is not that of a launch. */
  Optional<Run> run() {
    return match("run", RUN)
        .map(m -> new Run(m.group(3), Integer.parseInt(m.group(1)), Integer.parseInt(m.group(2))));
  }

  /** Whose launcher a node has: a token, or an empty text. */
  String holder(int node) {
    return text("node/" + node).orElse("");
  }

  /**
   * Takes a node's place, if it is {@code from}'s.
   *
   * @return whether it is {@code to}'s now
   */
  boolean take(int node, String from, String to) {
    byte[] now = store.compareSet("node/" + node, from.getBytes(UTF_8), to.getBytes(UTF_8));
    return new String(now, UTF_8).equals(to);
  }

  /** All nodes are there: the ranks may start. */
  void setComplete() {
    set("complete", "yes");
  }

  boolean isComplete() {
    return store.has("complete");
  }

  /** Shows that a node's launcher is there. */
  void beat(int node) {
    store.add("beat/" + node, 1);
  }

  /** Grows as long as a node's launcher is there. */
  long beats(int node) {
    return store.add("beat/" + node, 0);
  }

  /** Sets the reason why an attempt failed, unless another node has. */
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

  /** Says that a node has no rank left in an attempt. */
  void end(int attempt) {
    store.add("ended/" + attempt, 1);
    news();
  }

  /** How many nodes have no rank left. */
  int ended(int attempt) {
    return (int) store.add("ended/" + attempt, 0);
  }

  /** Asks all launchers to stop, unless one has. */
  void stop(Event.Stop stop) {
    store.compareSet(
        "stop", NOTHING, cut("%s %s".formatted(stop.exitCode(), stop.why())).getBytes(UTF_8));
    news();
  }

  Optional<Event.Stop> stop() {
    return match("stop", STOP).map(m -> new Event.Stop(m.group(2), Integer.parseInt(m.group(1))));
  }

  /** Says that a launcher has ended its run. */
  void leave() {
    store.add("left", 1);
    news();
  }

  /** How many launchers have ended their run. */
  int left() {
    return (int) store.add("left", 0);
  }

  /** Differs whenever something was written. */
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
