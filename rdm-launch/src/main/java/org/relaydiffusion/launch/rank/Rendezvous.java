package org.relaydiffusion.launch.rank;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import org.relaydiffusion.OptionException;
import org.relaydiffusion.io.PathVariable;
import org.relaydiffusion.torch.distributed.FileStore;
import org.relaydiffusion.torch.distributed.Store;
import org.relaydiffusion.torch.distributed.TcpStore;
import org.relaydiffusion.torch.distributed.WaitListener;

/** The c10d store in which the ranks of a run find one another. */
public sealed interface Rendezvous {
  /**
   * Set by {@code rdm launch} for ranks on one node: the file of {@link PrivateFile}. It counts
   * before {@code MASTER_ADDR} and {@code MASTER_PORT}.
   */
  String FILE_VARIABLE = "RDM_RENDEZVOUS_FILE";

  /** The variable in which a launcher tells its ranks that it serves the store itself. */
  String AGENT_STORE_VARIABLE = "TORCHELASTIC_USE_AGENT_STORE";

  /**
   * A file in a folder that only this user can enter, for ranks that are all on this machine.
   * Nothing listens at a port, and the ranks' groups listen at the loopback address.
   *
   * @param file is made by the first rank that comes
   */
  record PrivateFile(Path file) implements Rendezvous {}

  /**
   * A store that rank 0 serves.
   *
   * @param at where it listens
   */
  record RankZero(Endpoint at) implements Rendezvous {}

  /**
   * A store that the launcher serves, {@code rdm launch} of node 0 or torchrun's agent. It outlives
   * the ranks, so each attempt has keys of its own.
   *
   * @param at where it listens
   * @param attempt how often the launcher has started the ranks before, from 0
   */
  record Agent(Endpoint at, int attempt) implements Rendezvous {}

  /** For a process on its own, which meets nobody. */
  static Rendezvous local() {
    return new RankZero(Endpoint.LOCAL);
  }

  /**
   * Where the ranks of this process's run meet, as whoever started it says: {@value
   * #FILE_VARIABLE}, or {@code MASTER_ADDR} and {@code MASTER_PORT}, which torchrun and {@code rdm
   * launch} set and anybody may. Without them
   *
   * <ul>
   *   <li>ranks that are all on one machine meet on it;
   *   <li>under Slurm the address is the first host of the step's node list, where rank 0 runs;
   *   <li>under Slurm and Open MPI the port follows from the job's number, so that two jobs on one
   *       machine do not meet; elsewhere it is {@link Endpoint#DEFAULT_PORT}.
   * </ul>
   *
   * <p>Rank 0 serves the store, unless {@value #AGENT_STORE_VARIABLE} is {@code True}.
   *
   * @param environment the variables, as {@link System#getenv()}
   * @param rank of this process in the same environment
   * @throws OptionException naming the variable that is missing or makes no sense
   */
  static Rendezvous of(Map<String, String> environment, Rank rank) {
    Optional<Path> file = PathVariable.of(environment, FILE_VARIABLE);
    if (file.isPresent()) {
      return new PrivateFile(file.get());
    }
    Endpoint at = new MasterSearch(environment, rank).find();
    boolean byAgent =
        Variables.text(environment, AGENT_STORE_VARIABLE).filter("True"::equals).isPresent();
    return byAgent
        ? new Agent(at, Variables.number(environment, "TORCHELASTIC_RESTART_COUNT", 0))
        : new RankZero(at);
  }

  /**
   * Opens the store.
   *
   * @param rank of this process
   * @param timeout how long to wait for the others, and later for a value
   * @param listener told while this process waits
   * @throws org.relaydiffusion.torch.TorchException when it cannot be reached in time
   * @throws org.relaydiffusion.CancelledException when the thread is interrupted while it waits
   */
  default Store open(Rank rank, Duration timeout, WaitListener listener) {
    return switch (this) {
      case PrivateFile(Path file) ->
          FileStore.ofThisMachine(file, rank.worldSize(), timeout, listener);
      case RankZero(Endpoint at) ->
          new TcpStore(
              at.address(),
              at.port(),
              rank.worldSize(),
              rank.isFirst() ? TcpStore.Role.SERVER : TcpStore.Role.CLIENT,
              timeout,
              listener);
      case Agent(Endpoint at, int attempt) -> {
        try (Store shared = TcpStore.connect(at.address(), at.port(), timeout, listener)) {
          yield shared.withPrefix("rdm/ranks/attempt_%s".formatted(attempt));
        }
      }
    };
  }
}
