// x
return 0;
