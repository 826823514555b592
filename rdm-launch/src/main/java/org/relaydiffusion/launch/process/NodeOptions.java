package org.relaydiffusion.launch.process;

import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.OptionException;
import org.relaydiffusion.launch.command.Candidates;
import org.relaydiffusion.launch.command.Section;
import org.relaydiffusion.launch.rank.Endpoint;
import picocli.CommandLine.Option;

/** How many processes on how many nodes, and where they meet. */
final class NodeOptions implements Section {
  private static final int MOST_PROCESSES = 4096;
  private static final String NO_ID = "none";

  @Option(
      names = "--standalone",
      description =
          "Run on this node alone; nothing listens where another machine or user can reach it."
              + " Default: so with --nnodes=1.")
  boolean standalone;

  @Option(
      names = "--nproc_per_node",
      paramLabel = "N|auto|cpu|gpu",
      completionCandidates = Candidates.Processes.class,
      description =
          "Processes on each node: a number, as many as GPUs (gpu) or cores (cpu), or auto for"
              + " GPUs where there are any and else cores. Default: ${DEFAULT-VALUE}.",
      defaultValue = "1")
  String processes = "1";

  @Option(
      names = "--nnodes",
      paramLabel = "N",
      description =
          "Nodes; rdm launch is started on each, with the same options but --node_rank."
              + " Default: ${DEFAULT-VALUE}.",
      defaultValue = "1")
  String nodes = "1";

  @Option(
      names = "--node_rank",
      paramLabel = "N",
      description = "Which node this is, from 0; required with more than one. Default: 0.")
  @Nullable Integer nodeRank;

  @Option(
      names = "--master_addr",
      paramLabel = "HOST",
      description = "Node 0, as the others reach it; required with more than one. Default: none.")
  @Nullable String masterAddress;

  @Option(
      names = "--master_port",
      paramLabel = "PORT",
      description =
          "Port of node 0 at which its launcher serves the store in which launchers and ranks of"
              + " several nodes meet; a single node needs none. Default: 29500.")
  @Nullable String masterPort;

  @Option(
      names = "--rdzv_endpoint",
      paramLabel = "HOST[:PORT]",
      description = "--master_addr and --master_port in one. Default: none.")
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
          "Name of the run, equal on all nodes: ranks find it in TORCHELASTIC_RUN_ID."
              + " Default: drawn at random by node 0.")
  @Nullable String runId;

  @Override
  public String heading() {
    return "Processes and nodes";
  }

  /**
   * How the processes are spread.
   *
   * @throws OptionException naming the option that is wrong or missing
   */
  Nodes nodes() {
    int count = nodeCount();
    int index = nodeRank == null ? 0 : nodeRank;
    if (nodeRank == null && count > 1) {
      throw new OptionException(
          "--nnodes=%s needs --node_rank: which node this is, 0 to %s".formatted(count, count - 1));
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
    // torchrun's form for a number of nodes that may change; equal ends are a fixed one.
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
   * The run's name, if one was given; {@code none} is torchrun's word for none.
   *
   * @throws OptionException when it is too long, or cannot be shown in one line
   */
  Optional<String> runId() {
    if (runId != null && !runId.matches("[^\\p{Cntrl}]{1,200}")) {
      throw new OptionException("--rdzv_id must be 1 to 200 characters without control characters");
    }
    return Optional.ofNullable(runId).filter(id -> !id.equals(NO_ID));
  }

  /**
   * Where node 0's launcher serves the store; empty where there is one node, which needs no port.
   *
   * @param nodes as {@link #nodes()} says
   * @throws OptionException naming the options that do not go together
   */
  Optional<Endpoint> master(Nodes nodes) {
    boolean said = masterAddress != null || masterPort != null || endpoint != null;
    if (standalone && !nodes.isAlone()) {
      throw new OptionException(
          "--standalone means this node alone, but --nnodes is " + nodes.count());
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
          "--rdzv_endpoint says the same as --master_addr and --master_port: give one of them");
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
          "--nnodes=%s needs --master_addr (or --rdzv_endpoint): node 0, as the others reach it"
              .formatted(nodes));
    }
    String address = masterAddress == null ? Endpoint.LOCAL.address() : masterAddress.strip();
    int port =
        masterPort == null ? Endpoint.DEFAULT_PORT : Endpoint.port("--master_port", masterPort);
    return new Endpoint(address, port);
  }
}
