// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.checkpoint.pickle;

import java.util.Map;

/**
 * An object stored with the official code's persistence wrapper. The source text beside it is never
 * read.
 *
 * @param className the name of the class, such as {@code EDMPrecond}
 * @param state the attributes of the object by name
 */
public record PersistentObject(String className, Map<?, ?> state) {
  private static final long VERSION = 6;

  /**
   * Reads the dictionary of the wrapper.
   *
   * @throws BadPickleException if it is not of type 'class' and version 6
   */
  static PersistentObject of(Map<?, ?> meta) {
    Object type = meta.get("type");
    if (!"class".equals(type)) {
      throw new BadPickleException(
          "a persistent object has the type %s, expected 'class'".formatted(Values.show(type)));
    }
    Object version = meta.get("version");
    if (!Long.valueOf(VERSION).equals(version)) {
      throw new BadPickleException(
          "a persistent object has version %s, expected %s"
              .formatted(Values.show(version), VERSION));
    }
    if (!(meta.get("class_name") instanceof String className)) {
      throw new BadPickleException(
          "a persistent object has the class name %s, expected a string"
              .formatted(Values.show(meta.get("class_name"))));
    }
    if (!(meta.get("state") instanceof Map<?, ?> state)) {
      throw new BadPickleException(
          "a persistent object has the state %s, expected a dictionary"
              .formatted(Values.show(meta.get("state"))));
    }
    return new PersistentObject(className, state);
  }
}
