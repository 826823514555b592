// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.process;

import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.OptionException;
import org.relaydiffusion.launch.command.Candidates;
import org.relaydiffusion.launch.command.Section;
import org.relaydiffusion.launch.rank.Endpoint;
import picocli.CommandLine.Option;

/** The numbers of processes and nodes, and the address of the rendezvous. */
final class NodeOptions implements Section {
  private static final int MOST_PROCESSES = 4096;
  private static final String NO_ID = "none";

  @Option(
      names = "--standalone",
      description =
          "Run on this node only, without listening on a port that other hosts or users can reach."
              + " Default: implied by --nnodes=1.")
  boolean standalone;

  @Option(
      names = "--nproc_per_node",
      paramLabel = "N|auto|cpu|gpu",
      completionCandidates = Candidates.Processes.class,
      description =
          "Number of processes on each node: a number, gpu (one per GPU), cpu (one per core), or"
              + " auto:"
              + " one per GPU, or per core if there is no GPU. Default: ${DEFAULT-VALUE}.",
      defaultValue = "1")
  String processes = "1";

  @Option(
      names = "--nnodes",
      paramLabel = "N",
      description =
          "Number of nodes; start rdm launch on each, with the same options except for --node_rank."
              + " Default: ${DEFAULT-VALUE}.",
      defaultValue = "1")
  String nodes = "1";

  @Option(
      names = "--node_rank",
      paramLabel = "N",
      description = "Rank of this node, from 0; required with more than one node. Default: 0.")
  @Nullable Integer nodeRank;

  @Option(
      names = "--master_addr",
      paramLabel = "HOST",
      description =
          "Host name or address of node 0; required with more than one node. Default: none.")
  @Nullable String masterAddress;

  @Option(
      names = "--master_port",
      paramLabel = "PORT",
      description =
          "Port on which node 0's launcher serves the rendezvous store for launchers and ranks of"
              + " several nodes; not used with a single node. Default: 29500.")
  @Nullable String masterPort;

  @Option(
      names = "--rdzv_endpoint",
      paramLabel = "HOST[:PORT]",
      description = "--master_addr and --master_port in one option. Default: none.")
  @Nullable String endpoint;

  @Option(
      names = "--rdzv_backend",
      paramLabel = "static|c10d",
      description = "Accepted for compatibility; has no effect. Default: static.")
  @Nullable String backend;

  @Option(
      names = "--rdzv_id",
      paramLabel = "NAME",
      description =
          "Name of the run, the same on all nodes; passed to ranks in TORCHELASTIC_RUN_ID."
              + " Default: drawn at random by node 0.")
  @Nullable String runId;

  @Override
  public String heading() {
    return "Processes and nodes";
  }

  /**
   * Returns the numbers of processes and nodes.
   *
   * @throws OptionException naming the option that is wrong or missing
   */
  Nodes nodes() {
    int count = nodeCount();
    int index = nodeRank == null ? 0 : nodeRank;
    if (nodeRank == null && count > 1) {
      throw new OptionException(
          "--nnodes=%s requires --node_rank: the rank of this node, 0 to %s"
              .formatted(count, count - 1));
    }
    if (index < 0 || index >= count) {
      throw new OptionException(
          "--node_rank must be 0 to %s with --nnodes=%s, but is %s"
              .formatted(count - 1, count, index));
    }
    if (backend != null && !backend.equals("static") && !backend.equals("c10d")) {
      throw new OptionException(
          "--rdzv_backend must be static or c10d, but is '%s'".formatted(backend));
    }
    return new Nodes(count, index, processes());
  }

  private int nodeCount() {
    // torchrun's syntax for an elastic number of nodes; equal bounds are a fixed number.
    String text = nodes.replaceFirst("^(\\d+):\\1$", "$1");
    if (text.contains(":")) {
      throw new OptionException(
          "--nnodes=%s: the number of nodes cannot change during a run; give one number"
              .formatted(nodes));
    }
    return number("--nnodes", text, "a number");
  }

  private int processes() {
    return switch (processes) {
      case "cpu" -> NodeDevices.cores();
      case "gpu" -> NodeDevices.gpus();
      case "auto" -> NodeDevices.gpusOrCores();
      default -> number("--nproc_per_node", processes, "a number, auto, cpu or gpu");
    };
  }

  private static int number(String option, String text, String expected) {
    int number = text.matches("\\d{1,6}") ? Integer.parseInt(text) : 0;
    if (number < 1 || number > MOST_PROCESSES) {
      throw new OptionException(
          "%s must be %s from 1 to %s, but is '%s'"
              .formatted(option, expected, MOST_PROCESSES, text));
    }
    return number;
  }

  /**
   * Returns the name of the run, if given; {@code none} is torchrun's value for no name.
   *
   * @throws OptionException if it is too long or contains control characters
   */
  Optional<String> runId() {
    if (runId != null && !runId.matches("[^\\p{Cntrl}]{1,200}")) {
      throw new OptionException("--rdzv_id must be 1 to 200 characters without control characters");
    }
    return Optional.ofNullable(runId).filter(id -> !id.equals(NO_ID));
  }

  /**
   * Returns the address at which node 0's launcher serves the store; empty if there is one node,
   * which needs no port.
   *
   * @param nodes the result of {@link #nodes()}
   * @throws OptionException naming the options that contradict each other
   */
  Optional<Endpoint> master(Nodes nodes) {
    boolean said = masterAddress != null || masterPort != null || endpoint != null;
    if (standalone && !nodes.isAlone()) {
      throw new OptionException(
          "--standalone means this node only, but --nnodes is " + nodes.count());
    }
    if (standalone && said) {
      throw new OptionException(
          "--standalone and %s are mutually exclusive"
              .formatted(
                  endpoint != null
                      ? "--rdzv_endpoint"
                      : masterAddress != null ? "--master_addr" : "--master_port"));
    }
    if (endpoint != null && (masterAddress != null || masterPort != null)) {
      throw new OptionException(
          "--rdzv_endpoint and --master_addr or --master_port are mutually exclusive");
    }
    Optional<Endpoint> master = said || !nodes.isAlone() ? Optional.of(master()) : Optional.empty();
    return nodes.isAlone() ? Optional.empty() : master;
  }

  private Endpoint master() {
    if (endpoint != null) {
      return Endpoint.parse("--rdzv_endpoint", endpoint);
    }
    if (masterAddress == null && nodeCount() > 1) {
      throw new OptionException(
          "--nnodes=%s requires --master_addr (or --rdzv_endpoint), the address of node 0"
              .formatted(nodes));
    }
    String address = masterAddress == null ? Endpoint.LOCAL.address() : masterAddress.strip();
    int port =
        masterPort == null ? Endpoint.DEFAULT_PORT : Endpoint.port("--master_port", masterPort);
    return new Endpoint(address, port);
  }
}
