package org.relaydiffusion.launch.rank;

import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.relaydiffusion.OptionException;

/**
 * Where the ranks of a run meet: rank 0 listens there, the others connect.
 *
 * @param address name or number of rank 0's machine
 * @param port 1 to 65535
 */
public record Rendezvous(String address, int port) {
  /** What torchrun takes where nobody says a port. */
  public static final int DEFAULT_PORT = 29500;

  /** This machine, for ranks that are all on it. */
  public static final Rendezvous LOCAL = new Rendezvous("127.0.0.1", DEFAULT_PORT);

  private static final int HIGHEST_PORT = 65535;
  private static final Pattern NAME_AND_PORT =
      Pattern.compile("(?:\\[([^\\]]+)\\]|([^:\\[\\]]+))(?::(\\d+))?");

  /**
   * Checks both.
   *
   * @throws OptionException when they can belong to no machine
   */
  public Rendezvous {
    if (address.isBlank()) {
      throw new OptionException("the address at which ranks meet is empty");
    }
    if (port < 1 || port > HIGHEST_PORT) {
      throw new OptionException(
          "the port at which ranks meet must be 1 to %s, not %s".formatted(HIGHEST_PORT, port));
    }
  }

  /**
   * Reads {@code host}, {@code host:port}, {@code [v6 address]} or {@code [v6 address]:port}.
   *
   * @param what stands before the text in the message, such as an option's name
   * @param text to read
   * @throws OptionException when it is none of these
   */
  public static Rendezvous parse(String what, String text) {
    Matcher matcher = NAME_AND_PORT.matcher(text.strip());
    if (!matcher.matches()) {
      throw new OptionException(
          "%s must be host:port, as in node0:29500 or [fd00::1]:29500, but is '%s'"
              .formatted(what, text));
    }
    String host = matcher.group(1) == null ? matcher.group(2) : matcher.group(1);
    String port = matcher.group(3);
    return new Rendezvous(host, port == null ? DEFAULT_PORT : port(what, port));
  }

  /**
   * Reads a port.
   *
   * @param what stands before the text in the message, such as a variable's name
   * @param text to read
   * @throws OptionException when it is no number from 1 to 65535
   */
  public static int port(String what, String text) {
    int port = text.strip().matches("\\d{1,5}") ? Integer.parseInt(text.strip()) : 0;
    if (port < 1 || port > HIGHEST_PORT) {
      throw new OptionException(
          "%s must be a port from 1 to %s, but is '%s'".formatted(what, HIGHEST_PORT, text));
    }
    return port;
  }

  /**
   * Where the ranks of this process's run meet, as whoever started it says: {@code MASTER_ADDR} and
   * {@code MASTER_PORT}, which torchrun and {@code rdm launch} set and anybody may. Without them
   *
   * <ul>
   *   <li>ranks that are all on one machine meet on it;
   *   <li>under Slurm the address is the first host of the step's node list, where rank 0 runs;
   *   <li>under Slurm and Open MPI the port follows from the job's number, so that two jobs on one
   *       machine do not meet; elsewhere it is {@link #DEFAULT_PORT}.
   * </ul>
   *
   * @param environment the variables, as {@link System#getenv()}
   * @param rank of this process in the same environment
   * @throws OptionException naming the variable that is missing or makes no sense
   */
  public static Rendezvous of(Map<String, String> environment, Rank rank) {
    return new MasterSearch(environment, rank).find();
  }

  /** The same machine, another port. */
  public Rendezvous onPort(int other) {
    return new Rendezvous(address, other);
  }

  /** As in {@code node0:29500}. */
  public String text() {
    return (address.contains(":") ? "[%s]:%s" : "%s:%s").formatted(address, port);
  }
}
