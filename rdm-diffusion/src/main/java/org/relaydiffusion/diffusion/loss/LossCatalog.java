// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.loss;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.ServiceConfigurationError;
import java.util.ServiceLoader;
import java.util.Set;
import java.util.function.Supplier;
import java.util.regex.Pattern;
import org.relaydiffusion.Printable;
import org.relaydiffusion.RdmException;

/**
 * The losses that are known by name, each with its default arguments: the reference's {@code vp},
 * {@code ve}, {@code edm} and {@code blur}, and those that a {@link ServiceLoader} for {@link Loss}
 * finds where this class was loaded from. A catalog never changes.
 */
public final class LossCatalog {
  private static final Pattern NAME = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]{0,63}");

  private final Map<String, Loss> losses;

  /** What is installed, looked for when it is first asked for. */
  private static final class Installed {
    private static final Supplier<LossCatalog> FOUND = found(Installed::find);

    private static LossCatalog find() {
      LossCatalog catalog = new LossCatalog(Map.of());
      for (Loss loss : List.of(new VpLoss(), new VeLoss(), new EdmLoss(), BlurLoss.DEFAULT)) {
        catalog = catalog.with(loss);
      }
      for (Loss loss : ServiceLoader.load(Loss.class, LossCatalog.class.getClassLoader())) {
        catalog = catalog.with(loss);
      }
      return catalog;
    }
  }

  private LossCatalog(Map<String, Loss> losses) {
    this.losses = losses;
  }

  /**
   * Performs a search once, which runs the code of others, in which anything can fail.
   *
   * @return gives the result, or throws the same reason each time
   */
  static Supplier<LossCatalog> found(Supplier<LossCatalog> search) {
    try {
      LossCatalog catalog = search.get();
      return () -> catalog;
    } catch (RdmException e) {
      return failing(String.valueOf(e.getMessage()), e);
    } catch (ServiceConfigurationError | LinkageError | RuntimeException e) {
      return failing("an installed loss cannot be loaded: " + Printable.message(e.toString()), e);
    }
  }

  private static Supplier<LossCatalog> failing(String reason, Throwable cause) {
    return () -> {
      throw new RdmException(reason, cause);
    };
  }

  /**
   * Returns the reference's losses and the installed ones.
   *
   * @throws RdmException if an installed one cannot be loaded, or has a name that is taken or not
   *     allowed
   */
  public static LossCatalog installed() {
    return Installed.FOUND.get();
  }

  /**
   * Returns this catalog and one more loss.
   *
   * @throws RdmException if its name is taken, regardless of case, or not allowed
   */
  public LossCatalog with(Loss loss) {
    String name = loss.name();
    if (!NAME.matcher(name).matches()) {
      throw new RdmException(
          "the name of loss %s must consist of letters, digits, dots, underscores and hyphens, but is '%s'"
              .formatted(loss.getClass().getName(), Printable.of(name)));
    }
    Optional<Loss> other = find(name);
    if (other.isPresent()) {
      throw new RdmException(
          "the name %s is taken by %s, and asked for by %s"
              .formatted(name, other.get().getClass().getName(), loss.getClass().getName()));
    }
    Map<String, Loss> all = new LinkedHashMap<>(losses);
    all.put(name, loss);
    return new LossCatalog(all);
  }

  /** Returns the names, those of the reference first. */
  public Set<String> names() {
    return Collections.unmodifiableSet(losses.keySet());
  }

  /** Returns the loss of a name, regardless of case; empty if there is none. */
  public Optional<Loss> find(String name) {
    return losses.values().stream().filter(loss -> loss.name().equalsIgnoreCase(name)).findFirst();
  }
}
