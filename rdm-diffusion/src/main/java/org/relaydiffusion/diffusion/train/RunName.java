// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.train;

import java.util.regex.Pattern;

/**
 * The name of a run's folder, without its number, as in the reference: {@code
 * name-cond-adm-edm-gpus8-batch4096-fp16}.
 *
 * <p>Its first four parts describe what is trained; runs that agree in them have the same
 * description. The other parts may change when a run is resumed.
 *
 * @param data the name of the data set
 * @param conditional whether the network is conditional
 * @param architecture such as {@code adm}
 * @param preconditioning such as {@code edm}
 * @param processes of the run
 * @param batch the batch size
 * @param type {@code fp32}, {@code fp16} or {@code bf16}
 * @param suffix {@code --desc}; may be empty
 */
public record RunName(
    String data,
    boolean conditional,
    String architecture,
    String preconditioning,
    int processes,
    int batch,
    String type,
    String suffix) {
  private static final Pattern HOW =
      Pattern.compile("-gpus\\d+-batch\\d+-(?:fp32|fp16|bf16)(-.*)?");

  /** Returns the parts that describe what is trained: {@code name-cond-adm-edm}. */
  public String description() {
    return "%s-%s-%s-%s"
        .formatted(data, conditional ? "cond" : "uncond", architecture, preconditioning);
  }

  /** Returns the complete name. */
  public String text() {
    return "%s-gpus%s-batch%s-%s%s"
        .formatted(description(), processes, batch, type, suffix.isEmpty() ? "" : "-" + suffix);
  }

  /**
   * Returns whether another run has the same description.
   *
   * @param other the name of its folder, without its number
   */
  boolean describes(String other) {
    String what = description();
    return other.startsWith(what) && HOW.matcher(other.substring(what.length())).matches();
  }
}
