// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.model;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.ServiceConfigurationError;
import java.util.ServiceLoader;
import java.util.Set;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.Printable;
import org.relaydiffusion.model.unet.Architecture;
import org.relaydiffusion.model.unet.OfficialUNet;

/**
 * The preconditioners and architectures that are known by name. {@link #installed} has the
 * reference's, and those that a {@link ServiceLoader} finds where this class was loaded from. A
 * catalog never changes.
 *
 * <p>A program that has its own at hand adds them to a copy, which serves {@link
 * ModelConfig#of(String, Map, NetworkCatalog)} alone: checkpoints are opened, sampled from and
 * written by the installed catalog.
 */
public final class NetworkCatalog {
  private final Map<String, PreconditionerKind> preconditioners;
  private final Map<String, Architecture> architectures;

  /** A catalog, or the reason why there is none. */
  record Found(@Nullable NetworkCatalog catalog, @Nullable ModelException reason) {
    /** Looks for installed kinds. These are others' code, in which anything can fail. */
    static Found by(Supplier<NetworkCatalog> search) {
      try {
        return new Found(search.get(), null);
      } catch (ModelException e) {
        return new Found(null, e);
      } catch (ServiceConfigurationError | LinkageError | RuntimeException e) {
        return new Found(
            null,
            new ModelException(
                "an installed network cannot be loaded: " + Printable.message(e.toString()), e));
      }
    }

    /**
     * The catalog.
     *
     * @throws ModelException with the reason why there is none
     */
    NetworkCatalog get() {
      if (catalog == null) {
        ModelException why = Objects.requireNonNull(reason);
        throw new ModelException(Objects.requireNonNull(why.getMessage()), why);
      }
      return catalog;
    }
  }

  /** What is installed, looked for when it is first asked for. */
  private static final class Installed {
    private static final Found FOUND = Found.by(Installed::find);

    private static NetworkCatalog find() {
      NetworkCatalog catalog = new NetworkCatalog(Map.of(), Map.of());
      for (OfficialUNet architecture : OfficialUNet.values()) {
        catalog = catalog.with(architecture);
      }
      for (OfficialPreconditioner kind : OfficialPreconditioner.values()) {
        catalog = catalog.with(kind);
      }
      ClassLoader loader = NetworkCatalog.class.getClassLoader();
      for (Architecture architecture : ServiceLoader.load(Architecture.class, loader)) {
        catalog = catalog.with(architecture);
      }
      for (PreconditionerKind kind : ServiceLoader.load(PreconditionerKind.class, loader)) {
        catalog = catalog.with(kind);
      }
      return catalog;
    }
  }

  private NetworkCatalog(
      Map<String, PreconditionerKind> preconditioners, Map<String, Architecture> architectures) {
    this.preconditioners = preconditioners;
    this.architectures = architectures;
  }

  /**
   * The reference's kinds and the installed ones.
   *
   * @throws ModelException when an installed one cannot be loaded, or has a name that is taken
   */
  public static NetworkCatalog installed() {
    return Installed.FOUND.get();
  }

  /**
   * This catalog and one more architecture.
   *
   * @throws ModelException when its name is taken
   */
  public NetworkCatalog with(Architecture architecture) {
    return new NetworkCatalog(
        preconditioners, extended(architectures, architecture.className(), architecture));
  }

  /**
   * This catalog and one more preconditioner.
   *
   * @throws ModelException when its name is taken
   */
  public NetworkCatalog with(PreconditionerKind kind) {
    return new NetworkCatalog(extended(preconditioners, kind.className(), kind), architectures);
  }

  private static <T> Map<String, T> extended(Map<String, T> known, String name, T more) {
    Map<String, T> all = new LinkedHashMap<>(known);
    T other = all.putIfAbsent(name, more);
    if (other != null) {
      throw new ModelException(
          "the name %s is taken by %s, and asked for by %s"
              .formatted(name, other.getClass().getName(), more.getClass().getName()));
    }
    return all;
  }

  /** The names of the preconditioners. */
  public Set<String> preconditioners() {
    return Collections.unmodifiableSet(preconditioners.keySet());
  }

  /** The names of the architectures. */
  public Set<String> architectures() {
    return Collections.unmodifiableSet(architectures.keySet());
  }

  /**
   * The preconditioner of a name.
   *
   * @throws ModelException naming those that are known
   */
  PreconditionerKind preconditioner(String className) {
    PreconditionerKind kind = preconditioners.get(className);
    if (kind == null) {
      throw new ModelException(
          "unknown network class '%s': known are %s; others need the jar that provides them"
              .formatted(Printable.of(className), String.join(", ", preconditioners.keySet())));
    }
    return kind;
  }

  /** The architecture that {@code model_type} asks for, or the preconditioner's own. */
  Architecture architecture(Kwargs kwargs, PreconditionerKind kind) {
    String name =
        kwargs.choice(
            "model_type",
            kind.defaultArchitecture(),
            architectures.keySet().toArray(String[]::new));
    Architecture architecture = architectures.get(name);
    if (architecture == null) {
      throw new ModelException(
          "%s: its default architecture %s is not known".formatted(kind.className(), name));
    }
    return architecture;
  }
}
