"""How sure may a network be? Temperature, conformal sets, ensembles, dropout, Laplace, SNGP, deep kernel learning; pictures from elsewhere."""
