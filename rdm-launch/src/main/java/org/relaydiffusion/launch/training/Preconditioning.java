// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.training;

import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.relaydiffusion.OptionException;
import org.relaydiffusion.RdmException;
import org.relaydiffusion.diffusion.loss.EdmLoss;
import org.relaydiffusion.diffusion.loss.Loss;
import org.relaydiffusion.diffusion.loss.LossCatalog;
import org.relaydiffusion.model.NetworkCatalog;
import org.relaydiffusion.model.OfficialPreconditioner;

/**
 * A preconditioner together with its loss: a loss of the {@link LossCatalog}, or an installed
 * preconditioner, under its class name and with EDM's loss.
 *
 * @param name the value of {@code --precond}
 * @param className the class of the preconditioner
 * @param loss the loss with its default arguments
 */
record Preconditioning(String name, String className, Loss loss) {
  /** A part of a folder's name. */
  private static final String PLAIN = "[A-Za-z0-9._-]+";

  /** Returns a loss with its preconditioner. */
  static Preconditioning of(Loss loss) {
    return new Preconditioning(loss.name(), loss.preconditioner(), loss);
  }

  /**
   * Parses the value of {@code --precond}.
   *
   * @throws OptionException listing the known names, or with the reason why they are unknown
   */
  static Preconditioning parse(String text) {
    List<Preconditioning> known = known();
    return known.stream()
        .filter(p -> p.name.equalsIgnoreCase(text))
        .findFirst()
        .orElseThrow(() ->
            new OptionException(
                "expected one of %s, but was '%s'"
                    .formatted(known.stream().map(Preconditioning::name).toList(), text)));
  }

  private static List<Preconditioning> known() {
    try {
      LossCatalog losses = LossCatalog.installed();
      return Stream.concat(
              losses.names().stream()
                  .map(losses::find)
                  .flatMap(Optional::stream)
                  .map(Preconditioning::of),
              preconditioners().map(name -> new Preconditioning(name, name, new EdmLoss())))
          .toList();
    } catch (RdmException e) {
      throw new OptionException(String.valueOf(e.getMessage()));
    }
  }

  /** The reference's have losses of their own, and therefore names of their own. */
  private static Stream<String> preconditioners() {
    Set<String> official =
        Arrays.stream(OfficialPreconditioner.values())
            .map(OfficialPreconditioner::className)
            .collect(Collectors.toSet());
    return NetworkCatalog.installed().preconditioners().stream()
        .filter(name -> !official.contains(name) && name.matches(PLAIN));
  }
}
