// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.checkpoint.archive;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.checkpoint.pickle.BadPickleException;
import org.relaydiffusion.checkpoint.pickle.Callable;
import org.relaydiffusion.checkpoint.pickle.Callable.Kind;
import org.relaydiffusion.checkpoint.pickle.GlobalName;
import org.relaydiffusion.checkpoint.pickle.Instance;
import org.relaydiffusion.checkpoint.pickle.PickleReader;
import org.relaydiffusion.checkpoint.pickle.Values;

/**
 * The names in a file with a module of any kind: those of a checkpoint, and classes whose objects
 * are reduced to their attributes.
 */
final class ModuleGlobals implements PickleReader.Globals {
  private static final String LAYERS = "torch.nn.modules.";
  private static final String PROGRAM = "__torch__";
  private static final String CONTAINERS = "torch.jit._pickle";

  private final Map<GlobalName, Object> known;
  private final Predicate<GlobalName> classes;

  private ModuleGlobals(Map<GlobalName, Object> known, Predicate<GlobalName> classes) {
    this.known = new HashMap<>(known);
    this.classes = classes;
  }

  /** Returns the names of a pickle: PyTorch's own layers. */
  static ModuleGlobals ofPickle(Map<GlobalName, Object> known) {
    return new ModuleGlobals(known, name -> name.module().startsWith(LAYERS));
  }

  /**
   * Returns the names of a TorchScript archive: the classes of its program, and its typed
   * containers.
   */
  static ModuleGlobals ofScript(Map<GlobalName, Object> known) {
    ModuleGlobals globals = new ModuleGlobals(known, ModuleGlobals::isProgram);
    for (String type : List.of("int", "double", "bool", "tensor")) {
      globals.addContainer("build_" + type + "list", 1);
    }
    // The second argument is the type of a container, as a string.
    globals.addContainer("restore_type_tag", 2);
    return globals;
  }

  /** Returns whether a class belongs to the program of an archive. */
  static boolean isProgram(GlobalName name) {
    return name.module().equals(PROGRAM) || name.module().startsWith(PROGRAM + ".");
  }

  @Override
  public @Nullable Object get(GlobalName name) {
    Object value = known.get(name);
    return value == null && classes.test(name)
        ? new Callable(name, Kind.CLASS, args -> object(name, args))
        : value;
  }

  private static Object object(GlobalName name, List<Object> args) {
    if (!args.isEmpty()) {
      throw new BadPickleException("constructs a module with arguments");
    }
    return new Instance(name);
  }

  private void addContainer(String function, int arguments) {
    GlobalName name = new GlobalName(CONTAINERS, function);
    known.put(
        name,
        new Callable(
            name,
            Kind.FUNCTION,
            args -> {
              if (args.size() != arguments) {
                throw new BadPickleException(
                    "constructs a typed container from %s".formatted(Values.show(args)));
              }
              return args.getFirst();
            }));
  }
}
