package org.relaydiffusion.launch.process;

import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.OptionException;
import org.relaydiffusion.launch.command.Candidates;
import org.relaydiffusion.launch.command.Section;
import org.relaydiffusion.launch.rank.Rendezvous;
import picocli.CommandLine.Option;

/** How many processes on how many machines, and where they meet. */
final class MachineOptions implements Section {
  private static final int MOST_PROCESSES = 4096;

  @Option(
      names = "--standalone",
      description =
          "Run on this machine alone and choose a free port. Default: so, unless another option of"
              + " this section says where to meet.")
  boolean standalone;

  @Option(
      names = "--nproc_per_node",
      paramLabel = "N|auto|cpu|gpu",
      completionCandidates = Candidates.Processes.class,
      description =
          "Processes on each machine: a number, as many as GPUs (gpu) or cores (cpu), or auto for"
              + " GPUs where there are any and else cores. Default: ${DEFAULT-VALUE}.",
      defaultValue = "1")
  String processes = "1";

  @Option(
      names = "--nnodes",
      paramLabel = "N",
      description =
          "Machines; rdm launch is started on each, with the same options but --node_rank."
              + " Default: ${DEFAULT-VALUE}.",
      defaultValue = "1")
  String nodes = "1";

  @Option(
      names = "--node_rank",
      paramLabel = "N",
      description =
          "Which machine this is, from 0; it must be said where there are several. Default: 0.")
  @Nullable Integer nodeRank;

  @Option(
      names = "--master_addr",
      paramLabel = "HOST",
      description =
          "Machine 0, as the others reach it. Default: this machine, if it is the only one.")
  @Nullable String masterAddress;

  @Option(
      names = "--master_port",
      paramLabel = "PORT",
      description =
          "Port of machine 0 at which ranks meet; launchers of several machines meet at the next"
              + " one. Default: 29500 with several machines, a free one with this alone.")
  @Nullable String masterPort;

  @Option(
      names = "--rdzv_endpoint",
      paramLabel = "HOST[:PORT]",
      description = "--master_addr and --master_port in one. Default: none.")
  @Nullable String endpoint;

  @Option(
      names = "--rdzv_backend",
      paramLabel = "static|c10d",
      description = "Taken for torchrun's sake: both mean the same here. Default: static.")
  @Nullable String backend;

  @Option(
      names = "--rdzv_id",
      paramLabel = "NAME",
      description =
          "Name of the run, equal on all machines: ranks find it in TORCHELASTIC_RUN_ID."
              + " Default: none.",
      defaultValue = "none")
  String runId = "none";

  @Override
  public String heading() {
    return "Processes and machines";
  }

  /**
   * How the processes are spread.
   *
   * @throws OptionException naming the option that is wrong or missing
   */
  Machines machines() {
    int count = nodes();
    int index = nodeRank == null ? 0 : nodeRank;
    if (nodeRank == null && count > 1) {
      throw new OptionException(
          "--nnodes=%s needs --node_rank: which machine this is, 0 to %s"
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
    return new Machines(count, index, processes());
  }

  private int nodes() {
    // torchrun's form for a number of machines that may change; equal ends are a fixed one.
    String text = nodes.replaceFirst("^(\\d+):\\1$", "$1");
    if (text.contains(":")) {
      throw new OptionException(
          "--nnodes=%s: the number of machines cannot change while a run goes on; give one number"
              .formatted(nodes));
    }
    return number("--nnodes", text, "a number");
  }

  private int processes() {
    return switch (processes) {
      case "cpu" -> MachineParts.cores();
      case "gpu" -> MachineParts.gpus();
      case "auto" -> MachineParts.gpusOrCores();
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
   * Where ranks meet; empty for a free port of this machine.
   *
   * @param machines as {@link #machines()} says
   * @throws OptionException naming the options that do not go together
   */
  Optional<Rendezvous> master(Machines machines) {
    boolean said = masterAddress != null || masterPort != null || endpoint != null;
    if (standalone && !machines.isAlone()) {
      throw new OptionException(
          "--standalone means this machine alone, but --nnodes is " + machines.count());
    }
    if (standalone && said) {
      throw new OptionException(
          "--standalone chooses where ranks meet by itself: leave out %s"
              .formatted(
                  endpoint != null
                      ? "--rdzv_endpoint"
                      : masterAddress != null ? "--master_addr" : "--master_port"));
    }
    if (endpoint != null && (masterAddress != null || masterPort != null)) {
      throw new OptionException(
          "--rdzv_endpoint says the same as --master_addr and --master_port: give one of them");
    }
    if (machines.isAlone() && masterAddress == null && masterPort == null && endpoint == null) {
      return Optional.empty();
    }
    Rendezvous master = master(machines.isAlone());
    if (!machines.isAlone() && master.port() == 65535) {
      throw new OptionException(
          "port 65535 is too high: launchers meet at the port after the ranks' one");
    }
    return Optional.of(master);
  }

  private Rendezvous master(boolean alone) {
    if (endpoint != null) {
      return Rendezvous.parse("--rdzv_endpoint", endpoint);
    }
    if (masterAddress == null && !alone) {
      throw new OptionException(
          "--nnodes=%s needs --master_addr (or --rdzv_endpoint): machine 0, as the others reach it"
              .formatted(nodes));
    }
    String address = masterAddress == null ? Rendezvous.LOCAL.address() : masterAddress.strip();
    int port =
        masterPort == null ? Rendezvous.DEFAULT_PORT : Rendezvous.port("--master_port", masterPort);
    return new Rendezvous(address, port);
  }
}
