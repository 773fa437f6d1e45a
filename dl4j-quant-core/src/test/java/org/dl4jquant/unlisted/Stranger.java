package org.dl4jquant.unlisted;

/** Stands in a package that has no place in the architecture. */
public final class Stranger {}
