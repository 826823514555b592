package org.relaydiffusion.checkpoint.archive;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.checkpoint.pickle.BadPickleException;
import org.relaydiffusion.checkpoint.pickle.Callable;
import org.relaydiffusion.checkpoint.pickle.Callable.Kind;
import org.relaydiffusion.checkpoint.pickle.GlobalName;
import org.relaydiffusion.checkpoint.pickle.Instance;
import org.relaydiffusion.checkpoint.pickle.PickleReader;
import org.relaydiffusion.checkpoint.pickle.Values;

/**
 * The names in a TorchScript archive: those of a checkpoint, TorchScript's typed containers, and
 * the classes of the archive's own program, whose objects are no more than their attributes here.
 */
final class ScriptGlobals implements PickleReader.Globals {
  private static final String PROGRAM = "__torch__";
  private static final String CONTAINERS = "torch.jit._pickle";

  private final Map<GlobalName, Object> known;

  /** The names of checkpoints, and those of TorchScript. */
  ScriptGlobals(Map<GlobalName, Object> checkpoints) {
    known = new HashMap<>(checkpoints);
    for (String type : List.of("int", "double", "bool", "tensor")) {
      add("build_" + type + "list", 1);
    }
    // The second argument is the type of a container, as text.
    add("restore_type_tag", 2);
  }

  /** Whether a class belongs to an archive's program. */
  static boolean isProgram(GlobalName name) {
    return name.module().equals(PROGRAM) || name.module().startsWith(PROGRAM + ".");
  }

  @Override
  public @Nullable Object get(GlobalName name) {
    Object value = known.get(name);
    return value == null && isProgram(name)
        ? new Callable(name, Kind.CLASS, args -> object(name, args))
        : value;
  }

  private static Object object(GlobalName name, List<Object> args) {
    if (!args.isEmpty()) {
      throw new BadPickleException("makes an object of a program with arguments");
    }
    return new Instance(name);
  }

  private void add(String function, int arguments) {
    GlobalName name = new GlobalName(CONTAINERS, function);
    known.put(
        name,
        new Callable(
            name,
            Kind.FUNCTION,
            args -> {
              if (args.size() != arguments) {
                throw new BadPickleException(
                    "makes a typed container of %s".formatted(Values.show(args)));
              }
              return args.getFirst();
            }));
  }
}
