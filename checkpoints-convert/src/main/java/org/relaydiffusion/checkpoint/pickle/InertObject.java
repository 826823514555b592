package org.relaydiffusion.checkpoint.pickle;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * An object of a class that is not known here, as the pickle would have it made: the name, the
 * arguments, and what is done to it then. Nothing is called, so it has no behaviour, not even that
 * of a list or a dictionary.
 */
public final class InertObject implements Buildable {
  private final GlobalName type;
  private final List<Object> args;
  private final Map<?, ?> keywords;
  private @Nullable Object state;
  private @Nullable List<Object> items;
  private @Nullable Map<Object, Object> entries;

  /**
   * Creates an object that has no state yet.
   *
   * @param type the class or function that Python would call
   * @param args its positional arguments
   * @param keywords its arguments by name
   */
  InertObject(GlobalName type, List<Object> args, Map<?, ?> keywords) {
    this.type = type;
    this.args = args;
    this.keywords = keywords;
  }

  /** The class or function that Python would call. */
  public GlobalName type() {
    return type;
  }

  /** The positional arguments. */
  public List<Object> args() {
    return args;
  }

  /** The arguments by name. */
  public Map<?, ?> keywords() {
    return keywords;
  }

  /** The state set afterwards, mostly a dictionary of attributes; null without one. */
  public @Nullable Object state() {
    return state;
  }

  /** What is appended or added to it, as to a list or set; null when nothing is. */
  public @Nullable List<Object> items() {
    return items;
  }

  /** What is set in it by key, as in a dictionary; null when nothing is. */
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
