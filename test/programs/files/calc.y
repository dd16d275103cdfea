%{
#include <stdio.h>
int yylex(void);
void yyerror(const char *text) { printf("%s\n", text); }
%}
%token NUMBER
%left '+' '-'
%left '*' '/'
%%
lines: | lines line ;
line: '\n' | expression '\n' { printf("%d\n", $1); } ;
expression: NUMBER | expression '+' expression { $$ = $1 + $3; } | expression '-' expression { $$ = $1 - $3; }
  | expression '*' expression { $$ = $1 * $3; } | expression '/' expression { $$ = $1 / $3; } | '(' expression ')' { $$ = $2; } ;
%%
int main(void) { return yyparse(); }
