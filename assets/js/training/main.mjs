/** The entry of the Training page. */
