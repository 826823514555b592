// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.checkpoint.pickle;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * An object of an unknown class: the name, the arguments of its construction, and the operations
 * applied to it afterwards. Nothing is called, so it has no behaviour, not even that of a list or a
 * dictionary.
 */
public final class InertObject implements Buildable {
  private final GlobalName type;
  private final List<Object> args;
  private final Map<?, ?> keywords;
  private @Nullable Object state;
  private @Nullable List<Object> items;
  private @Nullable Map<Object, Object> entries;

  /**
   * Creates an object without state.
   *
   * @param type the class or function that Python would call
   * @param args its positional arguments
   * @param keywords its keyword arguments
   */
  InertObject(GlobalName type, List<Object> args, Map<?, ?> keywords) {
    this.type = type;
    this.args = args;
    this.keywords = keywords;
  }

  /** Returns the class or function that Python would call. */
  public GlobalName type() {
    return type;
  }

  /** Returns the positional arguments. */
  public List<Object> args() {
    return args;
  }

  /** Returns the keyword arguments. */
  public Map<?, ?> keywords() {
    return keywords;
  }

  /**
   * Returns the state set afterwards, usually a dictionary of attributes; null if there is none.
   */
  public @Nullable Object state() {
    return state;
  }

  /** Returns the items appended or added to it, as to a list or set; null if there are none. */
  public @Nullable List<Object> items() {
    return items;
  }

  /** Returns the items set in it by key, as in a dictionary; null if there are none. */
  public @Nullable Map<Object, Object> entries() {
    return entries;
  }

  @Override
  public void build(Object newState) {
    state = newState;
  }

  List<Object> growItems() {
    List<Object> list = items;
    if (list == null) {
      list = new ArrayList<>(0);
      items = list;
    }
    return list;
  }

  Map<Object, Object> growEntries() {
    Map<Object, Object> map = entries;
    if (map == null) {
      map = new LinkedHashMap<>(2);
      entries = map;
    }
    return map;
  }
}
