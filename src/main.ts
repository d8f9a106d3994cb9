/* The process entry; the command line is added with the first command. */
export {};
